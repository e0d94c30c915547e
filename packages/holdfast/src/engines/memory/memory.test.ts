import { describe, expect, it } from 'vitest'
import { fakeClock } from '../../core/fake-clock.ts'
import type { Port } from '../../core/ports/port.ts'
import { coordPortConformance, oncePortConformance, quotaPortConformance } from '../../simulation/conformance/index.ts'
import type { EngineRig } from '../../simulation/conformance/index.ts'
import { memoryCoord, memoryOnce, memoryQuota } from './index.ts'

const sent = (): { deadlineMs: number; attempt: string } => ({ deadlineMs: 1_000, attempt: crypto.randomUUID() })
const clock = fakeClock()

function rig<P extends Port>(port: P): EngineRig<P> {
  return { connect: () => port, advance: (ms) => clock.advance(ms), vanish: () => undefined, dispose: () => port.close() }
}

describe('memoryOnce is a OncePort', () => {
  oncePortConformance({ it }, () => rig(memoryOnce({ clock })))
})
describe('memoryQuota is a QuotaPort', () => {
  quotaPortConformance({ it }, () => rig(memoryQuota({ clock })))
})
describe('memoryCoord is a CoordPort', () => {
  coordPortConformance({ it }, () => {
    const coord = memoryCoord({ clock })
    return { ...rig(coord), connect: () => coord.connect(), vanish: (client) => (client as typeof coord).vanish() }
  })
})

describe('bounds', () => {
  it('memoryOnce keeps no more records and bytes than it may, lets none go early, and has no timer', async () => {
    const time = fakeClock()
    const store = memoryOnce({ clock: time, maxRecords: 100, maxBytes: 50_000 })
    const claim = { scope: '', fingerprint: '', leaseMs: 1_000, keepMs: 60_000, takeOver: false }
    for (let n = 0; n < 500; n++) {
      const begun = await store.begin({ ...claim, key: `k${n}` }, sent())
      if (begun.ok && begun.state === 'fresh')
        await store.commit({ scope: '', key: `k${n}`, fence: begun.fence }, new Uint8Array(1_000), 60_000, sent())
    }
    expect(store.size).toBeLessThanOrEqual(51)
    expect(store.bytes).toBeLessThan(52_000)
    expect(await store.begin({ ...claim, key: 'k0' }, sent())).toMatchObject({ state: 'done' })
    expect(time.timers).toEqual([])
    await time.advance('61s')
    for (let n = 0; n < 3; n++) await store.begin({ ...claim, key: `new${n}` }, sent())
    expect([store.size, store.bytes < 1_000]).toEqual([3, true])
    await time.advance('1h')
    await store.begin({ ...claim, key: 'last' }, sent())
    expect(store.size).toBe(1)
  })

  it('the bytes of memoryOnce are those of the records it holds', async () => {
    const store = memoryOnce({ clock: fakeClock() })
    const claim = { scope: 's', fingerprint: 'f', leaseMs: 1_000, keepMs: 1_000, takeOver: false }
    for (const key of ['a', 'b', 'c']) {
      const begun = await store.begin({ ...claim, key }, sent())
      if (!begun.ok || begun.state !== 'fresh') throw new Error('not fresh')
      const held = { scope: 's', key, fence: begun.fence }
      await store.checkpoint(held, { step: 'step', data: new Uint8Array(500) }, sent())
      expect(store.bytes).toBeGreaterThan(500)
      await store.fail(held, 'forget', sent())
    }
    expect([store.size, store.bytes]).toEqual([0, 0])
  })

  it('memoryQuota remembers no key that is full again, and refuses what it has no room for', async () => {
    const time = fakeClock()
    const quota = memoryQuota({ clock: time, maxKeys: 100 })
    const limit = { rate: 1, perMs: 1_000, burst: 5, want: 1, leaseMs: 1_000 }
    const answers = await quota.take(
      Array.from({ length: 150 }, (_, n) => ({ ...limit, key: `k${n}` })),
      sent(),
    )
    expect(answers.filter(({ ok }) => ok)).toHaveLength(100)
    expect(quota.size).toBe(100)
    await time.advance('1s')
    await quota.take([{ ...limit, key: 'other' }], sent())
    expect([quota.size, time.timers]).toEqual([1, []])
  })

  it('memoryCoord keeps no more documents than it may, and its timers are those of held leases', async () => {
    const time = fakeClock()
    const coord = memoryCoord({ clock: time, maxDocs: 2 })
    const value = new Uint8Array(1)
    await coord.cas('a', 'absent', value, sent())
    await coord.cas('b', 'absent', value, sent())
    expect(await coord.cas('c', 'absent', value, sent())).toMatchObject({ why: 'unavailable' })
    expect(time.timers).toEqual([])
    const lease = await coord.lease(3_000, sent())
    expect(time.timers).toHaveLength(1)
    if (lease.ok) await lease.release(sent())
    await time.advance('5s')
    expect(time.timers).toEqual([])
  })

  it('an event loop that stood still loses its leases before anybody sees their documents gone', async () => {
    const time = fakeClock()
    const coord = memoryCoord({ clock: time })
    const lease = await coord.lease(3_000, sent())
    if (!lease.ok) throw new Error('no lease')
    await coord.cas('leader', 'absent', new Uint8Array(1), { ...sent(), lease })
    time.step(4_000)
    const seen = await coord.get('leader', { deadlineMs: 1_000 })
    expect([lease.lost.aborted, seen]).toEqual([true, { ok: true, doc: undefined }])
  })

  it('attempts are remembered up to their number, and the oldest forgotten', async () => {
    const quota = memoryQuota({ clock: fakeClock() })
    const request = { key: 'k', rate: 1_000_000, perMs: 1, burst: 1_000_000, want: 1, leaseMs: 1 }
    const first = sent()
    await quota.take([request], first)
    expect(await quota.resolve(first.attempt, { deadlineMs: 1 })).toMatchObject({ state: 'applied' })
    for (let n = 0; n < quota.profile.attempts.count; n++) await quota.take([request], sent())
    expect(await quota.resolve(first.attempt, { deadlineMs: 1 })).toMatchObject({ state: 'void' })
  })
})

it.each([
  [() => memoryOnce().begin({ scope: '', key: '', fingerprint: '', leaseMs: 1, keepMs: 1, takeOver: false }, sent()), /'key'/],
  [() => memoryOnce().begin({ scope: '', key: 'k', fingerprint: '', leaseMs: 0, keepMs: 1, takeOver: false }, sent()), /'leaseMs'/],
  [() => memoryOnce().resolve('', { deadlineMs: 1 }), /'attempt'/],
  [() => memoryQuota().take([{ key: 'k', rate: 0, perMs: 1, burst: 1, want: 1, leaseMs: 1 }], sent()), /'rate'/],
  [() => memoryCoord().lease(0, sent()), /'ttlMs'/],
])('an argument that makes no sense is named (%#)', async (call, message) => {
  await expect(call()).rejects.toThrow(message)
})
