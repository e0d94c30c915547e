import assert from 'node:assert/strict'
import type { QuotaGrant, QuotaPort, QuotaRequest } from '../../core/ports/quota-port.ts'
import { portConformance, rigged, sending, type ConformanceRunner, type MakeEngineRig } from './engine-rig.ts'

const limit = { key: 'tenant-1', rate: 10, perMs: 1_000, burst: 10 } as const

/** How far apart two clocks, and a request and its answer, may be on a real server. */
const slackMs = 400

async function take(port: QuotaPort, want: number, more: Partial<QuotaRequest> = {}): Promise<QuotaGrant> {
  const [answer] = await port.take([{ ...limit, want, leaseMs: 1_000, ...more }], sending())
  assert.ok(answer?.ok, 'the key is unavailable')
  return answer
}

/** What every {@link QuotaPort} has to do. */
export function quotaPortConformance(runner: ConformanceRunner, makeRig: MakeEngineRig<QuotaPort>): void {
  const test = rigged(runner, makeRig)
  const equal: (actual: unknown, expected: unknown) => void = assert.deepEqual
  const request = { ...limit, want: 1, leaseMs: 1_000 }

  portConformance(runner, makeRig, (port, options) => port.take([request], options), equal)

  test('94: the burst at once, then one unit each interval, and the wait is told', async (rig, port) => {
    const first = await take(port, 10)
    assert.equal(first.granted, 10)
    assert.equal(first.retryAfterMs, 0)
    assert.ok(first.leaseMs > 0 && first.leaseMs <= 1_000)
    const second = await take(port, 5)
    assert.equal(second.granted, 0)
    assert.ok(Math.abs(second.retryAfterMs - 500) <= slackMs)
    await rig.advance(second.retryAfterMs)
    assert.equal((await take(port, 5)).granted, 5)
  })

  test('93: in any stretch of time no more than the rate and one burst', async (rig, port) => {
    let granted = 0
    for (let turn = 0; turn < 20; turn++) {
      granted += (await take(port, 3, { min: 1 })).granted
      await rig.advance(100)
    }
    assert.ok(granted <= 10 + 20 + 10 * (slackMs / 1_000), `${granted} granted in 2 s`)
    assert.ok(granted >= 25, `${granted} granted in 2 s`)
  })

  test('idle time earns no more than the burst', async (rig, port) => {
    await take(port, 10)
    await rig.advance(5_000)
    assert.equal((await take(port, 30, { min: 1 })).granted, 10)
  })

  test('a grant may be partial, down to min; with less nothing is taken', async (_rig, port) => {
    await take(port, 7)
    assert.equal((await take(port, 20, { min: 5 })).granted, 0)
    assert.equal((await take(port, 20, { min: 2 })).granted, 3)
    assert.equal((await take(port, 11)).retryAfterMs, Infinity)
  })

  test('to want nothing is to look', async (_rig, port) => {
    await take(port, 4)
    const look = await take(port, 0)
    assert.equal(look.granted, 0)
    assert.ok(look.remaining >= 6 && look.remaining < 6 + 10 * (slackMs / 1_000))
  })

  test('many clients together get no more than one', async (rig) => {
    const ports = await Promise.all([rig.connect(), rig.connect(), rig.connect()])
    const grants = await Promise.all(Array.from({ length: 90 }, (_, n) => take(ports[n % 3] as QuotaPort, 1, { rate: 1, perMs: 60_000 })))
    assert.equal(grants.filter(({ granted }) => granted === 1).length, 10)
  })

  test('98: several keys together are taken all, or none', async (_rig, port) => {
    const slow = { rate: 1, perMs: 60_000, burst: 10, leaseMs: 1_000 }
    const both = [
      { ...slow, key: 'requests', want: 1 },
      { ...slow, key: 'tokens', want: 8 },
    ]
    const amounts = async (together: boolean): Promise<number[]> => {
      const answers = await port.take(both, { ...sending(), together })
      return answers.map((answer) => (answer.ok ? answer.granted : -1))
    }
    equal(await amounts(true), [1, 8])
    equal(await amounts(true), [0, 0])
    equal(await amounts(false), [1, 0])
    assert.equal((await take(port, 10, { ...slow, key: 'requests', min: 1 })).granted, 8)
  })

  test('98: what was not used is given back, never beyond the burst; what was used beyond is owed', async (_rig, port) => {
    const slow = { ...limit, rate: 1, perMs: 60_000 }
    await take(port, 8, slow)
    equal(await port.settle([{ ...slow, granted: 8, used: 2 }], sending()), [{ ok: true }])
    assert.equal(Math.floor((await take(port, 0, slow)).remaining), 8)
    await port.settle([{ ...slow, granted: 100, used: 0 }], sending())
    assert.equal(Math.floor((await take(port, 0, slow)).remaining), 10)
    await port.settle([{ ...slow, granted: 0, used: 15 }], sending())
    const debtor = await take(port, 1, slow)
    assert.equal(debtor.granted, 0)
    assert.ok(debtor.remaining < -4 && debtor.retryAfterMs > 5 * 60_000)
  })

  test('99: a pause grants nothing to anybody, the longest holds, and it can be ended', async (rig, port) => {
    equal(await port.pause(limit.key, 2_000, sending()), { ok: true })
    await port.pause(limit.key, 500, sending())
    const other = await take(await rig.connect(), 1)
    assert.equal(other.granted, 0)
    assert.ok(other.retryAfterMs > 1_000 && other.retryAfterMs <= 2_000)
    assert.equal((await take(port, 1, { key: 'tenant-2' })).granted, 1)
    await rig.advance(2_100)
    assert.equal((await take(port, 1)).granted, 1)
    await port.pause(limit.key, 60_000, sending())
    await port.pause(limit.key, 0, sending())
    assert.equal((await take(port, 1)).granted, 1)
  })

  test('97: another limit keeps what was used', async (_rig, port) => {
    const slow = { rate: 1, perMs: 60_000 }
    await take(port, 10, slow)
    const wider = await take(port, 20, { ...slow, burst: 15, min: 1 })
    assert.equal(wider.granted, 5)
  })

  test('a request that is sent again takes nothing again', async (_rig, port) => {
    const slow = { rate: 1, perMs: 60_000 }
    const four = { ...request, ...slow, want: 4 }
    const options = sending()
    equal(await port.take([four], options), await port.take([four], options))
    const settle = sending()
    for (let turn = 0; turn < 2; turn++) await port.settle([{ ...four, granted: 4, used: 3 }], settle)
    assert.equal(Math.floor((await take(port, 0, slow)).remaining), 7)
  })
}
