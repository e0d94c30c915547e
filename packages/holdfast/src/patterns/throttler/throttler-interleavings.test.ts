import { throttler, type Permit } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import fc from 'fast-check'
import { it } from 'vitest'

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('acquire' as const),
      priority: fc.constantFrom('low' as const, 'normal' as const, 'high' as const),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('end' as const), index: fc.nat(9) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('abort' as const), index: fc.nat(15) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('tick' as const), ms: fc.constantFrom(1, 5, 10, 30) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('microtasks' as const), count: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('limit' as const), places: fc.integer({ min: 1, max: 4 }) }) },
)

it('79-83: places are neither lost nor given twice, and starts are far enough apart, in any order of grant, abort, wait and release', async () => {
  const spacing = 10
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 30, size: 'max' }), async (script) => {
      const clock = fakeClock()
      const door = throttler({ maxConcurrent: 2, spacing, maxQueued: 4, maxWait: 60, clock })
      let places = 2
      const held: Permit[] = []
      const callers: AbortController[] = []
      const settled: Promise<unknown>[] = []
      const check = (): void => {
        const { running, queued } = door.status()
        if (queued > 4) throw new Error(`${queued} wait`)
        if (held.length > running) throw new Error(`${held.length} hold ${running} places`)
      }
      for (const now of script) {
        if (now.do === 'acquire') {
          const caller = new AbortController()
          callers.push(caller)
          settled.push(
            door.acquire({ priority: now.priority, signal: caller.signal }).then(
              (permit) => held.push(permit),
              () => undefined,
            ),
          )
        } else if (now.do === 'end') held.splice(now.index % Math.max(1, held.length), 1)[0]?.success()
        else if (now.do === 'abort') callers[now.index]?.abort()
        else if (now.do === 'tick') await clock.advance(now.ms)
        else if (now.do === 'limit') door.reconfigure({ maxConcurrent: (places = now.places), spacing, maxQueued: 4, maxWait: 60 })
        else for (let count = now.count; count > 0; count--) await Promise.resolve()
        check()
      }
      // whatever happened, all who still wait are served in time, far enough apart, never more than there are places
      for (let turn = 0; turn < 40; turn++) {
        await clock.advance(spacing)
        const { running } = door.status()
        if (running > Math.max(places, held.length)) throw new Error(`${running} run at ${places} places`)
        held.pop()?.success()
      }
      await Promise.all(settled)
      for (const permit of held.splice(0)) permit.success()
      const { running, queued } = door.status()
      if (running !== 0 || queued !== 0) throw new Error(`${running} run and ${queued} wait at the end`)
      if (clock.timers.length > 1) throw new Error('timers are left')
    }),
    { numRuns: 2_000, seed: 79 },
  )
})

it('93: no two starts are closer than the spacing, however calls come and end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(40), { minLength: 2, maxLength: 40, size: 'max' }), async (gaps) => {
      const clock = fakeClock()
      const door = throttler({ spacing: 25, maxQueued: 1_000, clock })
      const startedAt: number[] = []
      const answers: Promise<unknown>[] = []
      for (const gap of gaps) {
        answers.push(door.execute(() => startedAt.push(clock.now())))
        await clock.advance(gap)
      }
      await clock.advance(25 * gaps.length)
      await Promise.all(answers)
      for (let index = 1; index < startedAt.length; index++) {
        const apart = (startedAt[index] as number) - (startedAt[index - 1] as number)
        if (apart < 25) throw new Error(`two starts are ${apart} ms apart`)
      }
      if (startedAt.length !== gaps.length) throw new Error('a call was lost')
    }),
    { numRuns: 300, seed: 93 },
  )
})
