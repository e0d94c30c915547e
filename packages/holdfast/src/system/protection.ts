import type { Clock } from '../core/clock.ts'
import { HoldfastError } from '../core/errors.ts'
import { checkOptionNames } from '../core/options.ts'
import type { Duration } from '../core/duration.ts'
import type { CallOptions, PolicyLike } from '../core/policy.ts'
import { parts } from '../core/parts.ts'
import { fallback, retry, timeout, type FallbackOptions, type RetryOptions } from '../patterns/index.ts'

/** The name of a registered timeout; any text, which editors still complete with durations. */
type TimeoutName = string & {}

/** Which protections a call gets: by the name under which a policy is registered, as a policy, or (without a state of their own) as options. */
export interface Protection extends CallOptions {
  readonly fallback?: string | PolicyLike | FallbackOptions
  readonly cache?: string | PolicyLike
  /** A policy that an idempotency manager made. */
  readonly idempotency?: string | PolicyLike
  readonly loadShedder?: string | PolicyLike
  /** Limits all attempts together. */
  readonly totalTimeout?: TimeoutName | PolicyLike | Duration
  readonly retry?: string | PolicyLike | RetryOptions
  readonly hedge?: string | PolicyLike
  readonly circuitBreaker?: string | PolicyLike
  readonly rateLimiter?: string | PolicyLike
  readonly throttler?: string | PolicyLike
  readonly adaptiveConcurrency?: string | PolicyLike
  readonly bulkhead?: string | PolicyLike
  /** Limits each attempt. */
  readonly attemptTimeout?: TimeoutName | PolicyLike | Duration
}

/** The default order, outermost first. */
export const protectionOrder = [
  'fallback',
  'cache',
  'idempotency',
  'loadShedder',
  'totalTimeout',
  'retry',
  'hedge',
  'circuitBreaker',
  'rateLimiter',
  'throttler',
  'adaptiveConcurrency',
  'bulkhead',
  'attemptTimeout',
] as const

export type ProtectionName = (typeof protectionOrder)[number]

/** The kinds of policies that can be each layer. */
const kindsOf: Readonly<Record<ProtectionName, readonly string[]>> = {
  fallback: ['fallback'],
  cache: ['cache'],
  idempotency: ['idempotency'],
  loadShedder: ['load-shedder'],
  totalTimeout: ['timeout'],
  retry: ['retry'],
  hedge: ['hedge'],
  circuitBreaker: ['circuit-breaker'],
  rateLimiter: ['rate-limiter'],
  throttler: ['throttler'],
  adaptiveConcurrency: ['adaptive-concurrency'],
  bulkhead: ['bulkhead', 'compartmented-bulkhead'],
  attemptTimeout: ['timeout'],
}

const callOptionNames = ['signal', 'deadline', 'key', 'idempotencyKey', 'priority', 'cost', 'labels', 'context'] as const

/** The policies of a protection, outermost first. */
export function protectionPolicies(
  protection: Protection,
  find: (name: string) => PolicyLike | undefined,
  clock: Clock,
): readonly PolicyLike[] {
  checkOptionNames('executeWithProtection', protection, [...protectionOrder, ...callOptionNames])
  return protectionOrder.flatMap((layer) => {
    const asked = protection[layer]
    return asked === undefined ? [] : [policyOf(layer, asked, find, clock)]
  })
}

function policyOf(layer: ProtectionName, asked: unknown, find: (name: string) => PolicyLike | undefined, clock: Clock): PolicyLike {
  if (typeof asked === 'object' && asked !== null && parts in asked) return asked as PolicyLike
  for (const kind of typeof asked === 'string' ? kindsOf[layer] : []) {
    const registered = find(`${kind}/${asked as string}`)
    if (registered !== undefined) return registered
  }
  switch (layer) {
    case 'totalTimeout':
    case 'attemptTimeout':
      if (typeof asked === 'number' || (typeof asked === 'string' && /^\d/.test(asked)))
        return timeout({ after: asked as Duration, name: layer, clock })
      break
    case 'retry':
      if (typeof asked === 'object') return retry({ clock, ...(asked as RetryOptions) })
      break
    case 'fallback':
      if (typeof asked === 'object' && ('value' in (asked as object) || 'handler' in (asked as object)))
        return fallback({ clock, ...(asked as FallbackOptions & { readonly value: unknown }) })
      break
    default:
      if (typeof asked !== 'string') {
        throw new HoldfastError({
          code: 'ERR_INVALID_ARGUMENT',
          message: `executeWithProtection: '${layer}' keeps state between calls: name a registered policy, or hand in the policy itself`,
        })
      }
  }
  if (typeof asked !== 'string') {
    throw new HoldfastError({
      code: 'ERR_INVALID_ARGUMENT',
      message: `executeWithProtection: '${layer}' must be a name, a policy or its options`,
    })
  }
  throw new HoldfastError({
    code: 'ERR_UNKNOWN_NAME',
    message: `executeWithProtection: no policy is registered as '${asked}' (asked for as '${layer}')`,
  })
}

/** What of a protection concerns the one call. */
export function callOptionsOf(protection: Protection): CallOptions {
  const { signal, deadline, key, idempotencyKey, priority, cost, labels, context } = protection
  return { signal, deadline, key, idempotencyKey, priority, cost, labels, context }
}
