import type { Case } from '../case.ts'
import { allocationsOf } from './allocation.ts'
import { instances } from './instances.ts'
import { openCircuit } from './open-circuit.ts'
import { otherPatterns } from './other-patterns.ts'
import { pipelines } from './pipelines.ts'
import { quantiles } from './quantile.ts'
import { rateLimits } from './rate-limiter.ts'
import { singlePolicies } from './single-policies.ts'
import { stateMachines } from './state-machine.ts'
import { waiters } from './waiters.ts'

const calls: readonly Case[] = [
  ...singlePolicies,
  ...pipelines,
  openCircuit,
  ...rateLimits,
  ...waiters,
  ...otherPatterns,
  ...stateMachines,
  ...quantiles,
]

const allocating = [
  'circuit-breaker',
  'retry',
  'timeout',
  'bulkhead',
  'fallback',
  'four-retry-outside',
  'four-retry-inside',
  'open-circuit',
]

/** All rows, in the order of the page. */
export const cases: readonly Case[] = [...calls, ...instances, ...allocationsOf(calls, allocating)]
