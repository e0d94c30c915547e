import fc from 'fast-check'
import { rateLimiter } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { expect, it } from 'vitest'
import { mostInAnyInterval, type Use } from './rate-limiter.fixture.ts'

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('ask' as const), key: fc.constantFrom('a', 'b'), cost: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('abort' as const), index: fc.nat(20) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('tick' as const), ms: fc.constantFrom(1, 1, 1, 10, 33, 100) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('pause' as const), ms: fc.constantFrom(20, 70), key: fc.constantFrom(undefined, 'a') }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never
type Algorithm = 'sliding-window' | 'gcra'

async function run(algorithm: Algorithm, steps: readonly Step[]): Promise<void> {
  const clock = fakeClock()
  const options = { maxQueued: 6, maxWait: 250, resumeOver: 30, clock, random: () => 0.5 }
  const limiter = rateLimiter({ limit: 3, window: 100, algorithm, ...options })
  const uses: Record<string, (Use & { readonly index: number })[]> = { a: [], b: [] }
  const controllers: AbortController[] = []
  const outcomes: Promise<unknown>[] = []
  const ask = (key: string, cost: number): void => {
    const index = outcomes.length
    const controller = new AbortController()
    controllers.push(controller)
    outcomes.push(limiter.tryExecute(() => uses[key]!.push({ at: clock.now(), cost, index }), { key, cost, signal: controller.signal }))
  }
  for (const now of steps) {
    if (now.do !== 'abort') await Promise.resolve() // whose turn has come begins before anything else happens, but for an abort
    if (now.do === 'ask') ask(now.key, now.cost)
    else if (now.do === 'abort') controllers[now.index % controllers.length]?.abort()
    else if (now.do === 'pause') limiter.pause(now.ms, now.key)
    else if (now.ms > 1) await clock.advance(now.ms)
    else clock.tick(now.ms)
  }
  await clock.advance('10s')
  await Promise.all(outcomes)

  for (const ofKey of Object.values(uses)) {
    const order = ofKey.map(({ index }) => index)
    expect(order).toEqual(order.toSorted((one, other) => one - other))
    // a function begins up to one tick after its turn came
    expect(mostInAnyInterval(ofKey, 99)).toBeLessThanOrEqual(algorithm === 'gcra' ? 6 : 3)
  }
  expect(limiter.status()).toMatchObject({ queued: 0 })
  expect(clock.timers.filter(({ ref }) => ref)).toEqual([])
}

it('79, 93: in any order of arrivals, aborts, pauses and expiries it keeps the limit, the order per key, and leaves nobody waiting', async () => {
  const algorithms = fc.constantFrom<Algorithm>('sliding-window', 'gcra')
  const steps = fc.array(step, { minLength: 5, maxLength: 40, size: 'max' })
  await fc.assert(fc.asyncProperty(algorithms, steps, run), { numRuns: 1_500, seed: 7993 })
})
