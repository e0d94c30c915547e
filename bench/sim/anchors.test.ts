import { describe, expect, it } from 'vitest'
import { concurrencyScenarios, outage, partialFailure, simulate, timeoutScenarios, type PhaseFigures } from 'holdfast/testing'
import { contestants } from './contestants.ts'
import { CorrelationWindow } from './correlation-window.ts'
import { sreThrottle } from './sre-throttle.ts'
import { GuardedTimeout, QuantileTimeout, TcpTimeout } from './timeout-rules.ts'
import { ruleTimeout } from './timeouts.ts'

async function phaseOf(name: string, scenarioName: string, phase: number): Promise<PhaseFigures> {
  const { make } = contestants.find((one) => one.name === name)!
  const scenario = concurrencyScenarios.find((one) => one.name === scenarioName)!
  return (await simulate(scenario, make, { seed: 2 })).phases[phase]!
}

/** The published algorithms on the figures that another simulator measured for them, % answered in time and median ms, each ± a tolerance. */
const anchors: readonly (readonly [name: string, scenario: string, phase: number, goodput: number, p50Ms: number])[] = [
  ['AIMD', 'overload', 0, 26.5, 494],
  ['AIMD', 'slow server', 0, 29.7, 488],
  ['Gradient2', 'overload', 0, 49.9, 72],
  ['Gradient2', 'slow server', 0, 43.5, 114],
  ['Envoy gradient', 'overload', 0, 49.4, 54],
  ['BBR', 'overload', 0, 41.5, 36],
  ['fixed, ideal', 'harmless latency', 1, 34, 236],
  ['fixed, 2 × ideal', 'harmless latency', 1, 66, 236],
]

describe('published algorithms of concurrency', () => {
  it.each(anchors)('e.1: %s in %s, phase %i: about %f % at %i ms', async (name, scenario, phase, goodput, p50Ms) => {
    const figures = await phaseOf(name, scenario, phase)
    expect(Math.abs(figures.goodput * 100 - goodput)).toBeLessThan(5)
    expect(Math.abs(figures.latency!.p50Ms / p50Ms - 1)).toBeLessThan(0.2)
  })

  it('e.1: Gradient2 loses most of its traffic to a latency that costs nothing', async () => {
    expect((await phaseOf('Gradient2', 'harmless latency', 1)).goodput).toBeLessThan(0.25)
  })

  it('the correlation of two figures is Pearson’s', () => {
    const window = new CorrelationWindow()
    for (let step = 1; step <= 20; step++) window.add(step, 2 * step + 1)
    expect(window.add(21, 43).correlation).toBeCloseTo(1, 9)
    const opposite = new CorrelationWindow()
    for (let step = 1; step <= 20; step++) opposite.add(step, 100 - step)
    expect(opposite.add(21, 79).correlation).toBeCloseTo(-1, 9)
  })
})

describe('timeout rules', () => {
  it.each([
    ['p99 of successes', () => new QuantileTimeout(0.99, 1), 18.9, 3],
    ['TCP', () => new TcpTimeout(), 4, 0.5],
    ['guarded', () => new GuardedTimeout(), 0.08, 0.06],
  ])('e.3: %s times out falsely in %f % of steady calls', async (_name, rule, wanted, tolerance) => {
    const { outcomes, offered } = await simulate(timeoutScenarios[0]!, ({ clock }) => ruleTimeout(rule(), clock), { seed: 5 })
    expect(Math.abs((outcomes.timedOut / offered) * 100 - wanted)).toBeLessThan(tolerance)
    expect(outcomes.answered + outcomes.timedOut).toBe(offered)
  })

  it('e.3: the guarded rule does not take an outage for latency', async () => {
    const hung = timeoutScenarios.find(({ name }) => name === 'hung calls')!
    const { phases } = await simulate(hung, ({ clock }) => ruleTimeout(new GuardedTimeout(), clock), { seed: 5 })
    expect(phases[0]!.meanEndMs).toBeLessThan(1_200) // the cap is 5,000
    expect(phases[1]!.outcomes.timedOut / phases[1]!.offered).toBeLessThan(0.005)
  })
})

describe('SRE throttle', () => {
  it('e.2: lets half of the failures pass, sheds most of an outage, and is slow to believe that it is over', async () => {
    const make = ({ clock, random }: Parameters<NonNullable<(typeof contestants)[number]['make']>>[0]): ReturnType<typeof sreThrottle> =>
      sreThrottle(2, 10_000, clock, random)
    const thirty = (await simulate(partialFailure(0.3), make, { seed: 1 })).phases[0]!
    expect(thirty.goodput).toBeGreaterThan(0.68)
    const { phases } = await simulate(outage, make, { seed: 1 })
    expect(phases[1]!.attemptsPerRequest).toBeLessThan(0.3)
    expect(phases[2]!.goodput).toBeLessThan(0.2)
  })
})
