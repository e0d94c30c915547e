import { adaptiveConcurrency } from 'holdfast'
import type { PipelineFactory, Scenario, SimulatedDependency, SimulatedLoad } from 'holdfast/testing'
import { AimdLimit } from './algorithms/aimd.ts'
import { BbrLimit } from './algorithms/bbr.ts'
import { EnvoyGradientLimit } from './algorithms/envoy-gradient.ts'
import { FailsafeGoLimit } from './algorithms/failsafe-go.ts'
import { FixedLimit } from './algorithms/fixed.ts'
import { Gradient2Limit } from './algorithms/gradient2.ts'
import { VegasLimit, WindowedVegasLimit } from './algorithms/vegas.ts'
import { limiter } from './concurrency-algorithm.ts'

export interface Contestant {
  readonly name: string
  /** Absent: callers call the server directly. */
  readonly make: PipelineFactory | undefined
  readonly ours?: true
}

/** A quarter more than the workers, shared among the clients: what somebody would choose who knows the server. */
function idealLimit({ dependency, clients = 1 }: Scenario): number {
  const servers = (Array.isArray(dependency) ? dependency : [dependency]) as readonly SimulatedDependency[]
  return Math.max(1, Math.round((1.25 * servers.reduce((sum, { workers }) => sum + workers, 0)) / clients))
}

/** How long callers wait: what AIMD takes for too long. */
function patience({ load }: Scenario): number {
  const loads = (Array.isArray(load) ? load : [load]) as readonly SimulatedLoad[]
  return Math.min(...loads.map(({ deadlineMs = Infinity }) => deadlineMs))
}

export const contestants: readonly Contestant[] = [
  {
    name: 'holdfast',
    make: ({ clock, random, scenario }) => adaptiveConcurrency({ clock, random, shared: (scenario.clients ?? 1) > 1 }),
    ours: true,
  },
  { name: 'none', make: undefined },
  { name: 'fixed, ideal', make: ({ clock, scenario }) => limiter('fixed', new FixedLimit(idealLimit(scenario)), clock) },
  { name: 'fixed, 2 × ideal', make: ({ clock, scenario }) => limiter('fixed', new FixedLimit(2 * idealLimit(scenario)), clock) },
  { name: 'AIMD', make: ({ clock, scenario }) => limiter('aimd', new AimdLimit(patience(scenario)), clock) },
  { name: 'Vegas, per call', make: ({ clock, random }) => limiter('vegas', new VegasLimit(random), clock) },
  { name: 'Vegas, windows of 1 s', make: ({ clock, random }) => limiter('vegas', new WindowedVegasLimit(random), clock) },
  { name: 'Gradient2', make: ({ clock }) => limiter('gradient2', new Gradient2Limit(), clock) },
  { name: 'Envoy gradient', make: ({ clock, random }) => limiter('envoy', new EnvoyGradientLimit(random), clock) },
  { name: 'failsafe-go', make: ({ clock }) => limiter('failsafe-go', new FailsafeGoLimit(), clock) },
  { name: 'BBR', make: ({ clock, busyRatio }) => limiter('bbr', new BbrLimit(busyRatio), clock) },
]
