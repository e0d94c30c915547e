import type { Scenario, SimulatedDependency } from '../scenario.ts'

/** A dependency that is never busy: only its failures matter. */
const dependency: SimulatedDependency = {
  workers: Infinity,
  service: { kind: 'lognormal', meanMs: 50, sigma: 0.5 },
  failAfter: { kind: 'constant', ms: 20 },
}
const deadlineMs = 1_000

/** Twenty processes that make ten calls per second each, and from 10 s on a share of their calls fails at random. */
export function partialFailure(ratio: number): Scenario {
  return {
    name: `${Math.round(ratio * 100)} % fail`,
    title: `${Math.round(ratio * 100)} % of the calls fail, at random`,
    durationMs: 70_000,
    clients: 20,
    load: { rate: 200, deadlineMs },
    dependency: {
      ...dependency,
      failureRatio: [
        { fromMs: 0, value: 0 },
        { fromMs: 10_000, value: ratio },
      ],
    },
    phases: [{ name: 'failing', fromMs: 10_000, toMs: 70_000 }],
  }
}

export const outage: Scenario = {
  name: 'outage',
  title: 'For 30 s every call fails; then the dependency is well again',
  durationMs: 110_000,
  clients: 20,
  load: { rate: 200, deadlineMs },
  dependency: {
    ...dependency,
    failureRatio: [
      { fromMs: 0, value: 0 },
      { fromMs: 20_000, value: 1 },
      { fromMs: 50_000, value: 0 },
    ],
  },
  phases: [
    { name: 'before', fromMs: 0, toMs: 20_000 },
    { name: 'outage', fromMs: 20_000, toMs: 50_000 },
    { name: 'first 10 s after', fromMs: 50_000, toMs: 60_000 },
    { name: 'later', fromMs: 60_000, toMs: 110_000 },
  ],
}

export const deadShard: Scenario = {
  name: 'dead shard',
  title: 'One of ten shards fails every call; the other nine are well',
  durationMs: 70_000,
  clients: 20,
  load: { rate: 200, deadlineMs },
  dependency: Array.from({ length: 10 }, (_, shard): SimulatedDependency => {
    if (shard > 0) return dependency
    return {
      ...dependency,
      failureRatio: [
        { fromMs: 0, value: 0 },
        { fromMs: 10_000, value: 1 },
      ],
    }
  }),
  phases: [{ name: 'dead', fromMs: 10_000, toMs: 70_000 }],
}

/** A hundred thousand calls of which 5 % fail at random: no reason to open a circuit. */
export function background(callsPerSecond: number): Scenario {
  return {
    name: `background, ${callsPerSecond}/s`,
    title: `5 % of the calls fail at random, at ${callsPerSecond} calls per second and client`,
    durationMs: (100_000 / 20 / callsPerSecond) * 1_000,
    clients: 20,
    load: { rate: 20 * callsPerSecond, deadlineMs },
    dependency: { ...dependency, failureRatio: 0.05 },
  }
}

/** Worlds in which a breaker or throttle has to tell an outage from bad luck. */
export const breakerScenarios: readonly Scenario[] = [...[0.1, 0.3, 0.5, 0.9].map(partialFailure), outage, deadShard]

/** One process and a dependency that fails a share of its calls: how much retries help, and how much load they add. */
export const retryScenarios: readonly Scenario[] = [0.05, 0.1, 0.3, 0.5, 0.9, 1].map((ratio) => ({
  name: `${Math.round(ratio * 100)} % fail, with retries`,
  title: `${Math.round(ratio * 100)} % of the attempts fail, at random`,
  durationMs: 100_000,
  load: { rate: 200 },
  dependency: { ...dependency, failureRatio: ratio },
  phases: [{ name: 'settled', fromMs: 20_000, toMs: 100_000 }],
}))
