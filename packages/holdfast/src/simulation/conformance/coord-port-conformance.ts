import assert from 'node:assert/strict'
import type { CoordPort, Lease, WatchEvent } from '../../core/ports/coord-port.ts'
import { asking, bytesOf, portConformance, rigged, sending, textOf, type ConformanceRunner, type MakeEngineRig } from './engine-rig.ts'

async function leased(port: CoordPort, ttlMs = 1_500): Promise<Lease> {
  const lease = await port.lease(ttlMs, sending())
  assert.ok(lease.ok, 'no lease')
  return lease
}

async function put(port: CoordPort, key: string, text: string, expected: bigint | 'absent' = 'absent', lease?: Lease): Promise<bigint> {
  const answer = await port.cas(key, expected, bytesOf(text), { ...sending(), ...(lease === undefined ? {} : { lease }) })
  assert.ok(answer.ok, `not written: ${answer.ok ? '' : answer.why}`)
  return answer.rev
}

async function textAt(port: CoordPort, key: string): Promise<string | undefined> {
  const answer = await port.get(key, asking)
  assert.ok(answer.ok)
  return answer.doc === undefined ? undefined : textOf(answer.doc.value)
}

/** What is known of the documents, as a watch tells it. */
function apply(known: Map<string, string>, event: WatchEvent): void {
  if (event.kind === 'snapshot') {
    known.clear()
    for (const { key, value } of event.docs) known.set(key, textOf(value))
  } else if (event.kind === 'put') known.set(event.doc.key, textOf(event.doc.value))
  else known.delete(event.key)
}

/** What every {@link CoordPort} has to do. */
export function coordPortConformance(runner: ConformanceRunner, makeRig: MakeEngineRig<CoordPort>): void {
  const test = rigged(runner, makeRig)
  const equal: (actual: unknown, expected: unknown) => void = assert.deepEqual

  portConformance(runner, makeRig, (port, options) => port.cas('k', 'absent', bytesOf('v'), options), equal)

  test('a document is written if it is as expected, and otherwise shown', async (_rig, port) => {
    const rev = await put(port, 'k', 'one')
    const no = await port.cas('k', 'absent', bytesOf('two'), sending())
    assert.ok(!no.ok && no.why === 'conflict' && no.now?.rev === rev && textOf(no.now.value) === 'one')
    const next = await put(port, 'k', 'two', rev)
    assert.ok(next > rev)
    assert.ok(!(await port.cas('k', rev, bytesOf('three'), sending())).ok)
    const { doc } = (await port.get('k', asking)) as { doc: { rev: bigint; madeRev: bigint } }
    equal([doc.rev, doc.madeRev, await textAt(port, 'k')], [next, rev, 'two'])
  })

  test('a deleted document is absent, and made anew it has a new beginning', async (_rig, port) => {
    const rev = await put(port, 'k', 'one')
    assert.ok((await port.cas('k', rev, undefined, sending())).ok)
    assert.equal(await textAt(port, 'k'), undefined)
    const no = await port.cas('k', rev, bytesOf('two'), sending())
    assert.ok(!no.ok && no.why === 'conflict' && no.now === undefined)
    const again = await put(port, 'k', 'two')
    const { doc } = (await port.get('k', asking)) as { doc: { madeRev: bigint } }
    assert.ok(doc.madeRev === again && again > rev)
  })

  test('35: of many who increment one document none is lost', async (rig) => {
    const ports = await Promise.all([rig.connect(), rig.connect(), rig.connect()])
    await put(ports[0], 'count', '0')
    const increment = async (port: CoordPort): Promise<void> => {
      for (;;) {
        const read = await port.get('count', asking)
        assert.ok(read.ok && read.doc !== undefined)
        const wrote = await port.cas('count', read.doc.rev, bytesOf(String(Number(textOf(read.doc.value)) + 1)), sending())
        if (wrote.ok) return
        assert.equal(wrote.why, 'conflict')
      }
    }
    await Promise.all(Array.from({ length: 60 }, (_, n) => increment(ports[n % 3] as CoordPort)))
    assert.equal(await textAt(ports[0], 'count'), '60')
  })

  test('what a caller does to a value later does not change the document', async (_rig, port) => {
    const value = bytesOf('one')
    await port.cas('k', 'absent', value, sending())
    value.fill(0)
    const read = await port.get('k', asking)
    if (read.ok) read.doc?.value.fill(0)
    assert.equal(await textAt(port, 'k'), 'one')
  })

  test('a write that is sent again is applied once, and has the same answer', async (_rig, port) => {
    const options = sending()
    const first = await port.cas('k', 'absent', bytesOf('one'), options)
    equal(await port.cas('k', 'absent', bytesOf('one'), options), first)
  })

  test('39: documents of a lease stay while their client lives, and vanish when it has died', async (rig, port) => {
    const other = await rig.connect()
    const lease = await leased(other)
    await put(other, 'leader', 'other', 'absent', lease)
    await put(port, 'stays', 'here')
    await rig.advance(4_000)
    equal([await textAt(port, 'leader'), lease.lost.aborted], ['other', false])
    await rig.vanish(other)
    await rig.advance(4_000)
    equal([await textAt(port, 'leader'), await textAt(port, 'stays'), lease.lost.aborted], [undefined, 'here', true])
    await put(port, 'leader', 'me')
  })

  test('37: a released lease is over at once, for its holder first, and nothing can be put under it', async (_rig, port) => {
    const lease = await leased(port)
    await put(port, 'leader', 'me', 'absent', lease)
    equal(await lease.release(sending()), { ok: true })
    equal([lease.lost.aborted, await textAt(port, 'leader')], [true, undefined])
    const no = await port.cas('leader', 'absent', bytesOf('me'), { ...sending(), lease })
    assert.ok(!no.ok && no.why === 'lease-lost')
  })

  test('closing a client releases its leases', async (rig, port) => {
    const other = await rig.connect()
    await put(other, 'leader', 'other', 'absent', await leased(other))
    await other.close()
    assert.equal(await textAt(port, 'leader'), undefined)
  })

  test('a document rewritten without its lease stays', async (rig, port) => {
    const other = await rig.connect()
    const rev = await put(other, 'k', 'one', 'absent', await leased(other))
    await put(port, 'k', 'two', rev)
    await rig.vanish(other)
    await rig.advance(4_000)
    assert.equal(await textAt(port, 'k'), 'two')
  })

  test('epochs of leases grow', async (rig, port) => {
    const epochs = [await leased(port), await leased(await rig.connect()), await leased(port)].map(({ epoch }) => epoch)
    assert.ok((epochs[0] as bigint) < (epochs[1] as bigint) && (epochs[1] as bigint) < (epochs[2] as bigint))
  })

  test('36: a watch begins with a snapshot, then tells each change under its prefix, in order', async (rig, port) => {
    await put(port, 'votes/a', '1')
    await put(port, 'other', 'x')
    const end = new AbortController()
    const events = (await rig.connect()).watch('votes/', { signal: end.signal })[Symbol.asyncIterator]()
    const next = async (): Promise<WatchEvent> => {
      const { value, done } = await events.next()
      assert.ok(done !== true)
      return value
    }
    const first = await next()
    assert.ok(first.kind === 'snapshot' && first.docs.length === 1 && first.docs[0]?.key === 'votes/a')
    const rev = await put(port, 'votes/b', '2')
    await put(port, 'elsewhere', 'x')
    assert.ok((await port.cas('votes/b', rev, undefined, sending())).ok)
    const made = await next()
    assert.ok(made.kind === 'put' && made.doc.key === 'votes/b' && made.doc.rev === rev && textOf(made.doc.value) === '2')
    const gone = await next()
    assert.ok(gone.kind === 'delete' && gone.key === 'votes/b' && gone.rev > rev)
    const waiting = events.next()
    end.abort()
    assert.equal((await waiting).done, true)
  })

  test('36: a watch that reads slowly ends up with what is there', async (rig, port) => {
    const end = new AbortController()
    const events = (await rig.connect()).watch('', { signal: end.signal })[Symbol.asyncIterator]()
    const known = new Map<string, string>()
    apply(known, (await events.next()).value as WatchEvent)
    for (let key = 0; key < 50; key++) await put(port, `k${key}`, String(key))
    let rev = await put(port, 'busy', '0')
    for (let turn = 1; turn < 3_000; turn++) rev = await put(port, 'busy', String(turn), rev)
    await put(port, 'last', 'seen')
    while (!known.has('last')) apply(known, (await events.next()).value as WatchEvent)
    for (let key = 0; key < 50; key++) assert.equal(known.get(`k${key}`), String(key))
    assert.equal(known.get('busy'), '2999')
    end.abort()
  })

  test('36: a watch tells of documents that vanish with their lease', async (rig, port) => {
    const other = await rig.connect()
    await put(other, 'leader', 'other', 'absent', await leased(other))
    const end = new AbortController()
    const events = port.watch('leader', { signal: end.signal })[Symbol.asyncIterator]()
    await events.next()
    const told = events.next()
    await rig.vanish(other)
    await rig.advance(4_000)
    assert.equal(((await told).value as WatchEvent).kind, 'delete')
    end.abort()
  })
}
