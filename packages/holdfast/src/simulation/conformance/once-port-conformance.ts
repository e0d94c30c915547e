import assert from 'node:assert/strict'
import type { BeginAnswer, Held, OnceClaim, OncePort } from '../../core/ports/once-port.ts'
import { asking, bytesOf, portConformance, rigged, sending, textOf, type ConformanceRunner, type MakeEngineRig } from './engine-rig.ts'

const claim: OnceClaim = { scope: 'tenant/charge', key: 'order-1', fingerprint: 'f', leaseMs: 2_000, keepMs: 60_000, takeOver: false }
const takingOver = { ...claim, takeOver: true }

async function held(port: OncePort, wanted: OnceClaim = claim): Promise<Held> {
  const answer = await port.begin(wanted, sending())
  assert.ok(answer.ok && (answer.state === 'fresh' || answer.state === 'takeover'), `no claim: ${JSON.stringify(stateOf(answer))}`)
  return { scope: wanted.scope, key: wanted.key, fence: answer.fence }
}

function stateOf(answer: BeginAnswer | { readonly ok: false; readonly why: string }): string {
  return answer.ok ? answer.state : answer.why
}

/** What every {@link OncePort} has to do. Times are in seconds, so that it runs against real servers, too. */
export function oncePortConformance(runner: ConformanceRunner, makeRig: MakeEngineRig<OncePort>): void {
  const test = rigged(runner, makeRig)
  const equal: (actual: unknown, expected: unknown) => void = assert.deepEqual

  portConformance(runner, makeRig, (port, options) => port.begin(claim, options), equal)

  test('105: of many parallel claims, of several clients, one is fresh', async (rig) => {
    const ports = await Promise.all([rig.connect(), rig.connect(), rig.connect()])
    const answers = await Promise.all(Array.from({ length: 300 }, (_, n) => (ports[n % 3] as OncePort).begin(claim, sending())))
    assert.equal(answers.filter((answer) => stateOf(answer) === 'fresh').length, 1)
    assert.equal(answers.filter((answer) => stateOf(answer) === 'busy').length, 299)
  })

  test('a result is given byte for byte to all clients, and there is no other claim', async (rig, port) => {
    const mine = await held(port)
    const result = Uint8Array.from({ length: 256 }, (_, byte) => byte)
    equal(await port.commit(mine, result, 60_000, sending()), { ok: true })
    result.fill(0)
    const answer = await (await rig.connect()).begin(claim, sending())
    assert.ok(answer.ok && answer.state === 'done')
    equal(
      [...answer.result],
      Array.from({ length: 256 }, (_, byte) => byte),
    )
    equal(await port.commit(mine, result, 60_000, sending()), { ok: false, why: 'fenced' })
  })

  test('101: another fingerprint is a mismatch while it runs, when it is unknown, and when it is done', async (rig, port) => {
    const other = { ...takingOver, fingerprint: 'g' }
    await held(port)
    assert.equal(stateOf(await port.begin(other, sending())), 'mismatch')
    await rig.advance(3_000)
    assert.equal(stateOf(await port.begin(other, sending())), 'mismatch')
    await port.commit(await held(port, takingOver), bytesOf('r'), 60_000, sending())
    assert.equal(stateOf(await port.begin(other, sending())), 'mismatch')
  })

  test('104: after the lease the outcome is unknown to those who do not take over, and nothing changes', async (rig, port) => {
    await held(port)
    const busy = await port.begin(claim, sending())
    assert.ok(busy.ok && busy.state === 'busy' && busy.retryAfterMs > 0 && busy.retryAfterMs <= 2_000)
    await rig.advance(3_000)
    for (let turn = 0; turn < 2; turn++) assert.equal(stateOf(await port.begin(claim, sending())), 'unknown')
  })

  test('104: one takes over, with what was written down, and with a higher fence', async (rig, port) => {
    const mine = await held(port)
    for (const [step, text] of [
      ['reserved', 'seat 7'],
      ['paid', 'no'],
      ['paid', 'yes'],
    ] as const)
      equal(await port.checkpoint(mine, { step, data: bytesOf(text) }, sending()), { ok: true })
    await rig.advance(3_000)
    const answers = await Promise.all(Array.from({ length: 50 }, () => port.begin(takingOver, sending())))
    const taken = answers.filter((answer) => answer.ok && answer.state === 'takeover')
    assert.equal(taken.length, 1)
    const [answer] = taken
    assert.ok(answer?.ok && answer.state === 'takeover' && answer.fence > mine.fence)
    equal(
      answer.checkpoints.map(({ step, data }) => [step, textOf(data)]),
      [
        ['reserved', 'seat 7'],
        ['paid', 'yes'],
      ],
    )
  })

  test('106: who was taken over changes nothing any more', async (rig, port) => {
    const mine = await held(port)
    await rig.advance(3_000)
    const theirs = await held(port, takingOver)
    const no = { ok: false, why: 'fenced' }
    equal(await port.renew(mine, 2_000, sending()), no)
    equal(await port.checkpoint(mine, { step: 's', data: bytesOf('x') }, sending()), no)
    equal(await port.fail(mine, 'forget', sending()), no)
    equal(await port.commit(mine, bytesOf('mine'), 60_000, sending()), no)
    equal(await port.commit(theirs, bytesOf('theirs'), 60_000, sending()), { ok: true })
    const { record } = (await port.get(claim, asking)) as { record: { state: 'done'; result: Uint8Array } }
    assert.equal(textOf(record.result), 'theirs')
  })

  test('106: a lease that is renewed is not over, and one that is over and was not taken can be renewed and committed', async (rig, port) => {
    const mine = await held(port)
    for (let turn = 0; turn < 5; turn++) {
      await rig.advance(1_500)
      equal(await port.renew(mine, 2_000, sending()), { ok: true })
      assert.equal(stateOf(await port.begin(takingOver, sending())), 'busy')
    }
    await rig.advance(3_000)
    equal(await port.renew(mine, 2_000, sending()), { ok: true })
    assert.equal(stateOf(await port.begin(takingOver, sending())), 'busy')
    await rig.advance(3_000)
    equal(await port.commit(mine, bytesOf('late'), 60_000, sending()), { ok: true })
  })

  test('given up as undone the key is as new, and as unknown it is so at once', async (_rig, port) => {
    const mine = await held(port)
    equal(await port.fail(mine, 'forget', sending()), { ok: true })
    equal(await port.get(claim, asking), { ok: true, record: undefined })
    const again = await held(port, { ...claim, fingerprint: 'another' })
    assert.ok(again.fence > mine.fence)
    equal(await port.fail(again, 'unknown', sending()), { ok: true })
    equal(await port.commit(again, bytesOf('r'), 1, sending()), { ok: false, why: 'fenced' })
    assert.equal(stateOf(await port.begin({ ...claim, fingerprint: 'another' }, sending())), 'unknown')
  })

  test('108: a result is kept from its end on; then the key is as new', async (rig, port) => {
    const mine = await held(port)
    await rig.advance(1_000)
    await port.commit(mine, bytesOf('r'), 3_000, sending())
    await rig.advance(2_000)
    assert.equal(stateOf(await port.begin(claim, sending())), 'done')
    await rig.advance(2_000)
    equal(await port.get(claim, asking), { ok: true, record: undefined })
    assert.equal(stateOf(await port.begin({ ...claim, fingerprint: 'another' }, sending())), 'fresh')
  })

  test('104: a record whose holder vanished is kept for keepMs beyond the lease', async (rig, port) => {
    await held(port, { ...claim, keepMs: 3_000 })
    await rig.advance(4_000)
    assert.equal(stateOf(await port.begin(claim, sending())), 'unknown')
    await rig.advance(2_000)
    assert.equal(stateOf(await port.begin(claim, sending())), 'fresh')
  })

  test('107: scope and key together name a record', async (_rig, port) => {
    const places = [
      ['a', 'bc'],
      ['ab', 'c'],
      ['', 'abc'],
      ['a:b', 'c'],
      ['a', 'b:c'],
      ['a/b', 'c'],
    ] as const
    for (const [scope, key] of places) {
      const mine = await held(port, { ...claim, scope, key })
      await port.commit(mine, bytesOf(`${scope} ${key}`), 60_000, sending())
    }
    for (const [scope, key] of places) {
      const answer = await port.begin({ ...claim, scope, key }, sending())
      assert.ok(answer.ok && answer.state === 'done')
      assert.equal(textOf(answer.result), `${scope} ${key}`)
    }
  })

  test('a request that is sent again has the answer of the first time', async (_rig, port) => {
    const begin = sending()
    const first = await port.begin(claim, begin)
    equal(await port.begin(claim, begin), first)
    assert.ok(first.ok && first.state === 'fresh')
    const commit = sending()
    const mine = { ...claim, fence: first.fence }
    equal(await port.commit(mine, bytesOf('r'), 60_000, commit), { ok: true })
    equal(await port.commit(mine, bytesOf('r'), 60_000, commit), { ok: true })
  })

  test('get tells what is known, and changes nothing', async (rig, port) => {
    const mine = await held(port)
    await port.checkpoint(mine, { step: 's', data: bytesOf('x') }, sending())
    const started = await port.get(claim, asking)
    assert.ok(started.ok && started.record?.state === 'started' && started.record.leaseMs > 0)
    assert.equal(started.record.fingerprint, 'f')
    assert.equal(started.record.checkpoints.length, 1)
    await rig.advance(3_000)
    const over = await port.get(claim, asking)
    assert.ok(over.ok && over.record?.state === 'started' && over.record.leaseMs === 0)
    await port.commit(mine, bytesOf('r'), 60_000, sending())
    const done = await port.get(claim, asking)
    assert.ok(done.ok && done.record?.state === 'done' && done.record.keptMs > 50_000 && done.record.keptMs <= 60_000)
    assert.ok(done.record.doneAt >= done.record.startedAt)
  })
}
