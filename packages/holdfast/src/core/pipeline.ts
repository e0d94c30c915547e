import { systemClock, type Clock } from './clock.ts'
import { HoldfastError } from './errors.ts'
import type { Listener, PolicyEvent } from './events.ts'
import type { Part } from './layer.ts'
import { checkOptionNames, nameOption, show } from './options.ts'
import { parts } from './parts.ts'
import {
  BasePolicy,
  type AlternativeOf,
  type HealthRecord,
  type Policy,
  type PolicyDescription,
  type PolicyLike,
  type PolicyStatus,
} from './policy.ts'

export interface PipelineOptions {
  /** @defaultValue 'pipeline' */
  readonly name?: string
  /** For the deadlines of callers. @defaultValue the clock of the policies */
  readonly clock?: Clock
}

/** Several policies as one. */
export interface Pipeline<Alternative = never> extends Policy<PolicyEvent, Alternative> {
  readonly kind: 'pipeline'
  /** The policies, outermost first. */
  readonly policies: readonly PolicyLike[]
}

/**
 * Composes policies, outermost first: `pipeline(retry(), breaker)` retries calls through the breaker. Pipelines may be
 * nested; gates next to each other are asked in one step.
 * @throws HoldfastError `ERR_INVALID_ARGUMENT` for something that is no policy.
 * @example `const guarded = pipeline({ name: 'search' }, fallback([]), retry({ maxAttempts: 3 }), timeout('2s'))`
 */
export function pipeline<P extends readonly PolicyLike[]>(...policies: P): Pipeline<AlternativeOf<P[number]>>
export function pipeline<P extends readonly PolicyLike[]>(options: PipelineOptions, ...policies: P): Pipeline<AlternativeOf<P[number]>>
export function pipeline(...given: readonly (PipelineOptions | PolicyLike)[]): Pipeline {
  const [first, ...rest] = given
  if (given.length === 0 || isPolicy(first)) return new PolicyPipeline({}, given as readonly PolicyLike[])
  checkOptionNames('pipeline', first, ['name', 'clock'])
  return new PolicyPipeline(first as PipelineOptions, rest as readonly PolicyLike[])
}

class PolicyPipeline extends BasePolicy implements Pipeline {
  readonly kind = 'pipeline' as const
  readonly policies: readonly PolicyLike[]
  readonly [parts]: readonly Part[]

  constructor(options: PipelineOptions, policies: readonly PolicyLike[]) {
    for (const [index, policy] of policies.entries()) {
      if (isPolicy(policy)) continue
      throw new HoldfastError({ code: 'ERR_INVALID_ARGUMENT', message: `pipeline: policy ${index + 1} is no policy, got ${show(policy)}` })
    }
    super(nameOption('pipeline', options.name), options.clock ?? sharedClock(policies))
    this.policies = policies
    this[parts] = policies.flatMap((policy) => policy[parts])
  }

  on(listener: Listener<PolicyEvent>): () => void {
    const ends = this.policies.flatMap((policy) => ('on' in policy ? [(policy as Policy).on(listener)] : []))
    return () => {
      for (const end of ends) end()
    }
  }

  describe(): PolicyDescription {
    return { kind: this.kind, name: this.name, layers: this.policies.map(describePolicy) }
  }

  status(): PolicyStatus {
    return {
      kind: this.kind,
      name: this.name,
      layers: this.policies.map((policy) => ('status' in policy ? (policy as Policy).status() : describePolicy(policy))),
    }
  }

  override health(): HealthRecord {
    const reasons: string[] = []
    let worst: HealthRecord['status'] = 'pass'
    for (const policy of this.policies) {
      const record = 'health' in policy ? (policy as Policy).health() : { status: 'pass' as const }
      if (rank[record.status] > rank[worst]) worst = record.status
      if ('reason' in record && record.reason !== undefined) reasons.push(record.reason)
    }
    return reasons.length === 0 ? { status: worst } : { status: worst, reason: reasons.join('; ') }
  }
}

const rank: Readonly<Record<HealthRecord['status'], number>> = { pass: 0, unknown: 1, warn: 2, fail: 3 }

export function isPolicy(value: unknown): value is PolicyLike {
  return typeof value === 'object' && value !== null && parts in value
}

export function describePolicy(policy: PolicyLike): PolicyDescription {
  return 'describe' in policy ? (policy as Policy).describe() : { kind: 'custom', name: policy.name ?? 'custom' }
}

/** The first clock that is not the machine's own, so that one fake clock drives the whole pipeline. */
function sharedClock(policies: readonly PolicyLike[]): Clock {
  for (const policy of policies) {
    const { clock } = policy as { clock?: Clock }
    if (clock !== undefined && clock !== systemClock) return clock
  }
  return systemClock
}
