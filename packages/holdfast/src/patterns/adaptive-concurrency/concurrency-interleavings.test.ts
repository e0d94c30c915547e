import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { adaptiveConcurrency, type AdaptiveConcurrency, type ConcurrencyAlgorithm } from 'holdfast'
import { fakeClock } from 'holdfast/testing'

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('come' as const), high: fc.boolean(), key: fc.constantFrom('live', 'batch') }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('end' as const), index: fc.nat(9), ok: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('abort' as const), index: fc.nat(15) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('limit' as const), limit: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('tick' as const), ms: fc.constantFrom(1, 20, 50) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('microtasks' as const), count: fc.integer({ min: 1, max: 6 }) }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

class ByHand implements ConcurrencyAlgorithm {
  readonly name = 'by hand'
  limit = 2
  onSample(): void {
    // the test moves it
  }
}

/** Callers of one policy in any order of events. */
async function run(steps: readonly Step[], partitions: boolean): Promise<void> {
  const clock = fakeClock()
  const algorithm = new ByHand()
  const door: AdaptiveConcurrency = adaptiveConcurrency({
    algorithm: () => algorithm,
    maxQueued: 4,
    maxWait: 50,
    clock,
    ...(partitions ? { partitions: { live: 0.6, batch: 0.4 } } : {}),
  })
  const inside: { end: (ok: boolean) => void }[] = []
  const controllers: AbortController[] = []
  let unanswered = 0
  let before = 0
  const check = (): void => {
    const { running, queued, limit } = door.status()
    // beyond the limit only what partitions are guaranteed, or what ran before the limit shrank
    const most = partitions ? Math.max(2 * limit + 1, before) : Math.max(limit, before)
    if (running > most) throw new Error(`${running} run, ${most} may`)
    if (queued > 4) throw new Error('the queue is too long')
    if (queued > 0 && running < limit) throw new Error('a place is free while somebody waits')
    before = running
  }
  for (const now of steps) {
    if (now.do === 'microtasks') for (let count = now.count; count > 0; count--) await Promise.resolve()
    else if (now.do === 'tick') clock.tick(now.ms)
    else if (now.do === 'abort') controllers[now.index % (controllers.length || 1)]?.abort(new Error('gave up'))
    else if (now.do === 'end') inside.splice(now.index % (inside.length || 1), 1)[0]?.end(now.ok)
    else if (now.do === 'limit') algorithm.limit = now.limit
    else {
      const controller = new AbortController()
      controllers.push(controller)
      unanswered++
      const work = (): Promise<void> =>
        new Promise((resolve, reject) => {
          inside.push({ end: (ok) => (ok ? resolve() : reject(new Error('failed'))) })
        })
      const options = { signal: controller.signal, key: now.key, priority: now.high ? ('high' as const) : ('low' as const) }
      void door.tryExecute(work, options).then(() => unanswered--)
    }
    check()
  }
  for (let round = 0; round < 15; round++) {
    for (const one of inside.splice(0)) one.end(true)
    await clock.settle()
  }
  await clock.settle()
  expect(unanswered, 'somebody was left waiting').toBe(0)
  expect(door.status()).toMatchObject({ running: 0, queued: 0 })
  expect(clock.timers.filter(({ ref }) => ref)).toEqual([])
}

describe('a place under an adaptive limit', () => {
  it.each([false, true])('79: is neither lost nor given twice in any order of events (partitions: %s)', async (partitions) => {
    const steps = fc.array(step, { minLength: 4, maxLength: 30, size: 'max' })
    await fc.assert(
      fc.asyncProperty(steps, (taken) => run(taken, partitions)),
      { numRuns: 2_000, seed: 79 },
    )
  })

  it('83: a waiter that gives up leaves nothing behind, 20,000 times', async () => {
    const clock = fakeClock()
    const door = adaptiveConcurrency({ algorithm: 'fixed', initialLimit: 1, maxQueued: 10, maxWait: '1s', clock })
    const held = door.tryAcquire()
    for (let round = 0; round < 20_000; round++) {
      const controller = new AbortController()
      const waiting = door.tryExecute(() => undefined, { signal: controller.signal })
      controller.abort(new Error('gave up'))
      if (round % 100 === 0) await waiting
    }
    expect(door.status().queued).toBe(0)
    if (!held.refused) held.success()
    expect(door.status().running).toBe(0)
  })
})
