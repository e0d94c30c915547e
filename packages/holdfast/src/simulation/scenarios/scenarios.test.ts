import { describe, expect, it } from 'vitest'
import { bestPossible } from '../best-possible.ts'
import { simulate } from '../simulate.ts'
import { concurrencyScenarios } from './concurrency.ts'
import { background, breakerScenarios, retryScenarios } from './failures.ts'
import { timeoutScenarios } from './latency.ts'

const all = [...concurrencyScenarios, ...breakerScenarios, ...retryScenarios, ...timeoutScenarios, background(10)]

describe('scenarios', () => {
  it.each(all.map((scenario) => [scenario.name, scenario] as const))('%s: its phases lie within it', (_name, scenario) => {
    for (const { fromMs, toMs } of scenario.phases ?? []) {
      expect(fromMs).toBeGreaterThanOrEqual(0)
      expect(toMs).toBeGreaterThan(fromMs)
      expect(toMs).toBeLessThanOrEqual(scenario.durationMs)
    }
  })

  it('survive being stored as JSON, so that another program can run them', async () => {
    // Infinity is no JSON; of a dependency with so many workers nobody ever waits
    const text = JSON.stringify(all, (_key, value: unknown) => (value === Infinity ? 1_000_000 : value))
    const [first] = JSON.parse(text) as typeof all
    const short = { ...concurrencyScenarios[0]!, durationMs: 2_000 }
    expect(await simulate({ ...first!, durationMs: 2_000 })).toEqual(await simulate(short))
  })
})

describe('the best possible', () => {
  it('is half of the requests at twice the load, with hardly any queue', async () => {
    const overload = concurrencyScenarios.find(({ name }) => name === 'overload')!
    const [best] = await bestPossible(overload)
    expect(best!.goodput).toBeGreaterThan(0.49)
    expect(best!.goodput).toBeLessThan(0.515)
    expect(best!.p50Ms).toBeLessThan(50)
    expect(best!.maxQueued).toBeLessThanOrEqual(8)
  })

  it('answers all when pauses are shorter than the callers’ patience, with a queue as long as a pause', async () => {
    const pauses = concurrencyScenarios.find(({ name }) => name === 'pauses')!
    const [best] = await bestPossible(pauses)
    expect(best!.goodput).toBeGreaterThan(0.995)
    expect(best!.maxQueued).toBeGreaterThanOrEqual(64)
  })
})
