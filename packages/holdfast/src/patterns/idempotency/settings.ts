import { durationMs, type Duration } from '../../core/duration.ts'
import { booleanOption, choiceOption, functionOption, integerOption, invalidOption } from '../../core/options.ts'
import { askPredicate } from '../../core/predicate.ts'

/** What is known of an operation whose caller vanished between its start and its end. */
export interface InterruptedOperation {
  readonly key: string
  readonly tenant: string
  readonly operation: string
  /** Epoch ms, by the clock of the store. */
  readonly startedAt: number
  /** What the operation wrote down on its way, by step. */
  readonly checkpoints: ReadonlyMap<string, unknown>
}

/** `completed`: it was done, and this is its result. `run-again`: run it, from its checkpoints if it reads them. */
export type RecoveryDecision =
  | { readonly outcome: 'completed'; readonly value: unknown }
  | { readonly outcome: 'run-again' }
  | { readonly outcome: 'unknown' }

/** What may change while a manager is in use. */
export interface IdempotencySettings {
  /** For how long an outcome is kept, from the end of the operation; 1 ms or more. Then the key is as new. @defaultValue '24h' */
  readonly ttl?: Duration
  /**
   * For how long a claim outlives the process that holds it; 100 ms or more. It is renewed while the operation runs, so this is no
   * limit to how long that takes. @defaultValue '30s'
   */
  readonly lease?: Duration
  /** What becomes of a call while one with the same key is running: an error at once, or the same outcome. @defaultValue 'reject' */
  readonly inFlight?: 'reject' | 'join'
  /** The longest that `join` waits for an operation of another process. @defaultValue '30s' */
  readonly joinWait?: Duration
  /**
   * Whether the failure of an operation is its outcome, and given again; or only those that the function names. What is not kept
   * frees the key: only right for failures that surely had no effect. @defaultValue true
   */
  readonly replayFailures?: boolean | ((error: unknown) => boolean)
  /** Decides about an operation that was interrupted. @defaultValue nobody does: `ERR_IDEMPOTENCY_OUTCOME_UNKNOWN` */
  readonly recover?: (operation: InterruptedOperation) => RecoveryDecision | PromiseLike<RecoveryDecision>
  /** `closed`: nothing runs without the store. `open`: operations run, perhaps twice. @defaultValue 'closed' */
  readonly whenUnavailable?: 'closed' | 'open'
  /** The longest wait for one answer of the store; 1 ms or more. @defaultValue '1s' */
  readonly storeTimeout?: Duration
  /** Results larger than this cannot be stored. @defaultValue 1_048_576 (1 MiB) */
  readonly maxResultBytes?: number
  /** Whether a call without a key is refused; otherwise it runs unprotected. @defaultValue true */
  readonly required?: boolean
}

/** Settings in force. */
export interface Rules {
  readonly ttlMs: number
  readonly leaseMs: number
  readonly joins: boolean
  readonly joinWaitMs: number
  readonly isKept: (error: unknown) => boolean
  readonly recover: IdempotencySettings['recover']
  readonly open: boolean
  readonly storeTimeoutMs: number
  readonly maxResultBytes: number
  readonly required: boolean
}

export const settingNames = [
  'ttl',
  'lease',
  'inFlight',
  'joinWait',
  'replayFailures',
  'recover',
  'whenUnavailable',
  'storeTimeout',
  'maxResultBytes',
  'required',
] as const

/** @throws HoldfastError `ERR_INVALID_OPTION` */
export function rulesOf(owner: string, settings: IdempotencySettings): Rules {
  const { replayFailures = true } = settings
  return {
    ttlMs: durationMs(owner, 'ttl', settings.ttl ?? '24h', { min: 1 }),
    leaseMs: durationMs(owner, 'lease', settings.lease ?? '30s', { min: 100 }),
    joins: choiceOption(owner, 'inFlight', settings.inFlight ?? 'reject', ['reject', 'join']) === 'join',
    joinWaitMs: durationMs(owner, 'joinWait', settings.joinWait ?? '30s'),
    isKept: keptFailures(owner, replayFailures),
    recover: functionOption(owner, 'recover', settings.recover),
    open: choiceOption(owner, 'whenUnavailable', settings.whenUnavailable ?? 'closed', ['closed', 'open']) === 'open',
    storeTimeoutMs: durationMs(owner, 'storeTimeout', settings.storeTimeout ?? '1s', { min: 1 }),
    maxResultBytes: integerOption(owner, 'maxResultBytes', settings.maxResultBytes ?? 2 ** 20, { min: 1 }),
    required: booleanOption(owner, 'required', settings.required ?? true),
  }
}

/** What a user's function decides; when it throws, the failure is kept, since it may have had an effect. */
function keptFailures(owner: string, keep: unknown): (error: unknown) => boolean {
  if (typeof keep === 'boolean') return () => keep
  if (typeof keep !== 'function') throw invalidOption(owner, 'replayFailures', keep, 'true, false or a function')
  return (error) => {
    try {
      return askPredicate('replayFailures', keep as (error: unknown) => boolean, error)
    } catch {
      return true
    }
  }
}
