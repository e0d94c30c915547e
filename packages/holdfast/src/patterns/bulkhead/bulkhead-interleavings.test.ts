import fc from 'fast-check'
import { describe, it } from 'vitest'
import { PlaceDrill } from './place-drill.fixture.ts'

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('execute' as const), which: fc.nat(2), withSignal: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('acquire' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('tryAcquire' as const) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('end' as const), index: fc.nat(9) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('abort' as const), index: fc.nat(15) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('tick' as const), ms: fc.constantFrom(1, 5, 15, 25, 40) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('microtasks' as const), count: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('resize' as const), limit: fc.integer({ min: 1, max: 4 }) }) },
)

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

async function take(drill: PlaceDrill, now: Step): Promise<void> {
  switch (now.do) {
    case 'execute':
      return drill.execute(now.which, now.withSignal)
    case 'acquire':
      return drill.acquire()
    case 'tryAcquire':
      return drill.tryAcquire()
    case 'end':
      return drill.end(now.index)
    case 'abort':
      return drill.abort(now.index)
    case 'tick':
      return drill.clock.tick(now.ms)
    case 'resize':
      return drill.resize(now.limit)
    case 'microtasks':
      for (let count = now.count; count > 0; count--) await Promise.resolve()
  }
}

async function run(limit: number, steps: readonly Step[], disposeAfter: number): Promise<void> {
  const drill = new PlaceDrill(limit)
  for (const [index, now] of steps.entries()) {
    if (now.do === 'microtasks') await take(drill, now)
    else void take(drill, now) // all others happen at once
    drill.check()
    if (index === disposeAfter) drill.dispose()
  }
  await drill.finish()
}

describe('a place of a bulkhead', () => {
  it('79: is neither lost, nor given twice, nor given out of turn, in 10,000 interleavings of grant, abort, timeout, resize and release', async () => {
    const steps = fc.array(step, { minLength: 4, maxLength: 30, size: 'max' })
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3 }), steps, (limit, taken) => run(limit, taken, Infinity)),
      { numRuns: 10_000, seed: 79 },
    )
  })

  it('114: disposing at any moment turns all waiters away and leaves those alone who are inside', async () => {
    const steps = fc.array(step, { minLength: 4, maxLength: 20, size: 'max' })
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(15), (taken, disposeAfter) => run(1, taken, disposeAfter)),
      { numRuns: 1_000, seed: 114 },
    )
  })
})
