import { policy, type Gate, type PolicyLike, type RateLimiter } from 'holdfast'
import { Meter, type AnyPolicy, type FaultTolerantSystem, type Observe } from 'holdfast/system'
import type { PipelineStep, UpstreamSettings } from '../config/index.ts'
import type { PolicySet } from './policy-set.ts'

/** What looks on in a pipeline. */
export interface Observers {
  /** Told of the durations of whole calls. */
  readonly pipeline: Observe
  /** Told of the durations of single attempts. */
  readonly attempt: Observe
  /** Stands before limits and places: what is inside waits for its turn or runs. */
  readonly door: Gate
  /** Stands behind them: what is inside runs. */
  readonly running: Gate
}

/** The policies of one upstream, in the order of its pipeline, outermost first. */
export interface UpstreamPolicies {
  readonly steps: readonly { readonly step: PipelineStep; readonly policy: AnyPolicy }[]
  readonly quota: RateLimiter | undefined
}

export function usePolicies(set: PolicySet, upstream: UpstreamSettings): UpstreamPolicies {
  const { pipeline } = upstream
  const steps = pipeline.order.flatMap((step) => {
    const settings = pipeline[step]
    return settings === undefined ? [] : [{ step, policy: set.use(step, settings) }]
  })
  return { steps, quota: set.useQuota(upstream) }
}

/** Ids of the policies of an upstream, outermost first. */
export function policyIds({ steps, quota }: UpstreamPolicies): string[] {
  const ids = steps.map(({ policy: { kind, name } }) => `${kind}/${name}`)
  if (quota !== undefined) ids.splice(quotaIndex(steps), 0, `${quota.kind}/${quota.name}`)
  return ids
}

/** All that stands before an upstream: its policies, with a meter around all of them and one around each attempt. */
export function pipelineLayers({ steps, quota }: UpstreamPolicies, observers: Observers, { clock }: FaultTolerantSystem): PolicyLike[] {
  const layers: PolicyLike[] = steps.map((each) => each.policy)
  const door = policy({ name: 'door', parts: observers.door })
  layers.splice(quotaIndex(steps), 0, door, ...(quota === undefined ? [] : [quota]))
  const meter = policy({ name: 'meter', parts: new Meter(clock, observers.pipeline) })
  return [meter, ...layers, policy({ name: 'attempt-meter', parts: [new Meter(clock, observers.attempt), observers.running] })]
}

const stepsOfPlaces: ReadonlySet<PipelineStep> = new Set(['rateLimiter', 'throttler', 'adaptiveConcurrency', 'bulkhead', 'attemptTimeout'])

/** The place before which the quota's pause stands: waiting for it must take no place, and must count for no attempt's time. */
function quotaIndex(steps: UpstreamPolicies['steps']): number {
  const index = steps.findIndex(({ step }) => stepsOfPlaces.has(step))
  return index < 0 ? steps.length : index
}
