export type {
  IdempotencyEvent,
  IdempotencyLeaseLost,
  IdempotencyNotStored,
  IdempotencyRecovered,
  IdempotencyRefused,
  IdempotencyReplayed,
  IdempotencyUnprotected,
} from './events.ts'
export {
  idempotencyManager,
  type EnsureIdempotentOptions,
  type IdempotencyExecuteOptions,
  type IdempotencyManager,
  type IdempotencyManagerOptions,
  type IdempotencyScope,
  type IdempotencyStatus,
  type IdempotencyStoreOptions,
  type IdempotentRun,
} from './idempotency-manager.ts'
export type {
  IdempotencyPolicy,
  IdempotencyPolicyOptions,
  IdempotencyPolicySettings,
  IdempotencyPolicyStatus,
} from './idempotency-policy.ts'
export type { IdempotencySettings, InterruptedOperation, RecoveryDecision } from './settings.ts'
export type { ResultCodec } from './stored-outcome.ts'
export type { IdempotencyFigures } from './tally.ts'
