import type { Scenario, SimulatedDependency } from '../scenario.ts'
import type { Schedule } from '../schedule.ts'

/** Twenty thousand calls of 100 ms, mostly one at a time. */
const durationMs = 1_000_000
const dependency: SimulatedDependency = { workers: Infinity, service: { kind: 'lognormal', meanMs: 100, sigma: 0.5 } }

function latencyScenario(name: string, title: string, change: Partial<SimulatedDependency>, phases: Scenario['phases']): Scenario {
  return { name, title, durationMs, load: { rate: 20 }, dependency: { ...dependency, ...change }, ...(phases && { phases }) }
}

function shift(factor: number): Schedule {
  return [
    { fromMs: 0, value: 1 },
    { fromMs: 500_000, value: factor },
  ]
}

const atTheEnd = { name: 'at the end', fromMs: 900_000, toMs: durationMs }

/** Worlds in which a timeout has to follow what is normal, and an outage must not become normal. */
export const timeoutScenarios: readonly Scenario[] = [
  latencyScenario('steady', 'Latency does not change', {}, [atTheEnd]),
  latencyScenario('2x shift', 'From the middle on every call takes twice as long', { slowdown: shift(2) }, [atTheEnd]),
  latencyScenario('5x shift', 'From the middle on every call takes five times as long', { slowdown: shift(5) }, [atTheEnd]),
  latencyScenario(
    'ramp 10x',
    'Calls become ten times slower, little by little',
    {
      slowdown: [
        { fromMs: 0, value: 1 },
        { fromMs: 100_000, value: 1, rampTo: 10 },
        { fromMs: 900_000, value: 10 },
      ],
    },
    [atTheEnd],
  ),
  latencyScenario(
    'bimodal',
    'Three calls of a hundred take 2 s, as they should',
    {
      service: {
        kind: 'mix',
        of: [
          { weight: 97, is: dependency.service },
          { weight: 3, is: { kind: 'lognormal', meanMs: 2_000, sigma: 0.2 } },
        ],
      },
    },
    [atTheEnd],
  ),
  latencyScenario(
    'hung calls',
    'For a minute no call answers; then all is well again',
    {
      hangRatio: [
        { fromMs: 0, value: 0 },
        { fromMs: 500_000, value: 1 },
        { fromMs: 560_000, value: 0 },
      ],
    },
    [
      { name: 'outage', fromMs: 500_000, toMs: 560_000 },
      { name: 'after', fromMs: 570_000, toMs: durationMs },
    ],
  ),
]
