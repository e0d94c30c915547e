import { bulkhead, hedge, pipeline, retryBudget } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import fc from 'fast-check'
import { it } from 'vitest'
import { answerCounter } from '../../core/answer-counter.fixture.ts'
import { countListeners } from '../../core/listener-count.fixture.ts'
import { attempts } from './hedge.fixture.ts'

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('call' as const), withSignal: fc.boolean() }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('finish' as const, 'fail' as const),
      call: fc.nat(5),
      attempt: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('abort' as const) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(0, 5, 10, 25) }) },
)

it('every call has one answer, at most 1 + maxHedges attempts run, places are not lost, and nothing is left behind', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), fc.boolean(), async (script, onFailure) => {
      const clock = fakeClock()
      const places = bulkhead({ maxConcurrent: 1_000 })
      const budget = retryBudget({ ratio: 1, minPerSecond: 1, clock })
      const counter = answerCounter()
      const hedged = hedge({ delay: 10, maxHedges: 2, hedgeOnFailure: onFailure, budget, clock })
      const policy = pipeline({ clock }, counter.policy, hedged, places)
      const caller = new AbortController()
      const { signal } = caller
      const listeners = countListeners(signal)
      const works: ReturnType<typeof attempts>[] = []
      const answers: Promise<unknown>[] = []
      let answered = 0
      for (const now of script) {
        if (now.do === 'call') {
          const work = attempts()
          works.push(work)
          answers.push(policy.tryExecute(work.run, now.withSignal ? { signal } : {}).then(() => answered++))
        } else if (now.do === 'advance') await clock.advance(now.ms)
        else if (now.do === 'abort') caller.abort(new Error('enough'))
        else works[now.call % Math.max(1, works.length)]?.[now.do](now.attempt, now.do === 'fail' ? (new Error('no') as never) : undefined)
        for (const { calls } of works) if (calls.length > 3) throw new Error(`${calls.length} attempts`)
      }
      for (let round = 0; round < 4; round++) {
        for (const work of works) for (const attempt of [1, 2, 3]) work.finish(attempt)
        await clock.advance(50)
      }
      await Promise.all(answers)
      if (counter.most > 1) throw new Error('a call was answered twice')
      if (answered !== answers.length) throw new Error(`${answered} of ${answers.length} calls were answered`)
      if (places.status().running !== 0) throw new Error(`${places.status().running} places are lost`)
      if (listeners.added !== listeners.removed) throw new Error('a listener is left')
      if (clock.timers.some(({ ref }) => ref)) throw new Error('a timer is left')
    }),
    { numRuns: 1_000, seed: 67 },
  )
})
