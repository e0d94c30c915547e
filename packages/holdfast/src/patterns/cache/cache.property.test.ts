import { bulkhead, cache, pipeline } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import fc from 'fast-check'
import { it } from 'vitest'
import { answerCounter } from '../../core/answer-counter.fixture.ts'
import { countListeners } from '../../core/listener-count.fixture.ts'
import { fetches } from './cache.fixture.ts'

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('ask' as const), key: fc.constantFrom('a', 'b'), caller: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('finish' as const), run: fc.integer({ min: 1, max: 8 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('fail' as const), run: fc.integer({ min: 1, max: 8 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('abort' as const), caller: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(0, 5, 15, 40) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('invalidate' as const), key: fc.constantFrom('a', 'b') }) },
)

it('every caller has one answer of its own key, places and listeners come back, and no more is fetched at once than was asked for', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 50, size: 'max' }), async (script) => {
      const clock = fakeClock()
      const places = bulkhead({ maxConcurrent: 1_000 })
      const inside = bulkhead({ maxConcurrent: 1_000 })
      const prices = cache({ ttl: 10, staleWhileRevalidate: 10, staleIfError: 20, maxEntries: 1, clock })
      const counter = answerCounter()
      const guarded = pipeline({ clock }, places, counter.policy, prices, inside)
      const callers = [0, 1, 2].map(() => new AbortController())
      const listeners = callers.map(({ signal }) => countListeners(signal))
      const load = fetches()
      const answers: Promise<void>[] = []
      let answered = 0
      for (const now of script) {
        if (now.do === 'ask') {
          const signal = now.caller === 0 ? undefined : callers[now.caller]?.signal
          answers.push(
            guarded.tryExecute(load.run, { key: now.key, signal }).then((outcome) => {
              answered++
              if (outcome.ok && outcome.value !== now.key) throw new Error(`'${now.key}' was answered with '${String(outcome.value)}'`)
            }),
          )
        } else if (now.do === 'finish') load.finish(now.run, load.calls[now.run - 1]?.key)
        else if (now.do === 'fail') load.fail(now.run, new Error('down'))
        else if (now.do === 'abort') callers[now.caller]?.abort(new Error('left'))
        else if (now.do === 'invalidate') prices.invalidate(now.key)
        else await clock.advance(now.ms)
        const { entries, fetching } = prices.status()
        if (entries > 1 || fetching > 2) throw new Error(`${entries} entries, ${fetching} fetched`)
      }
      for (const [index, call] of load.calls.entries()) load.finish(index + 1, call.key)
      await clock.advance(1)
      await Promise.all(answers)
      await clock.advance(1)
      if (counter.most > 1) throw new Error('a call was answered twice')
      if (answered !== answers.length) throw new Error(`${answered} of ${answers.length} were answered`)
      if (places.status().running + inside.status().running !== 0) throw new Error('places are lost')
      for (const [index, { added, removed }] of listeners.entries())
        if (callers[index]?.signal.aborted === false && added !== removed) throw new Error('listeners are left')
      if (prices.status().fetching !== 0) throw new Error('something is still being fetched')
    }),
    { numRuns: 1_000, seed: 5861 },
  )
})
