export type { Call, Cost, Labels, Priority } from './core/call.ts'
export { systemClock, type Clock, type Timer } from './core/clock.ts'
export { parseDuration, type Duration } from './core/duration.ts'
export { errorCodes, HoldfastError, isHoldfastError, setStackTraces, type ErrorCode, type HoldfastErrorInit } from './core/errors.ts'
export type { Listener, Observable, PolicyEvent } from './core/events.ts'
export type { Flow, Gate, Layer, Part, Seat, Sink, Verdict, Waiting } from './core/layer.ts'
export { causesOf } from './core/causes.ts'
export { statusOf, type ErrorMatch } from './core/match-error.ts'
export {
  logEvents,
  logSink,
  redactCredentials,
  type EventLine,
  type LogEntry,
  type LogFields,
  type LoggerLike,
  type LogLevel,
  type LogSink,
  type LogSinkOptions,
  type LogSinkStatus,
  type LogStream,
} from './core/log/index.ts'
export * from './core/metrics/index.ts'
export { parts } from './core/parts.ts'
export type { Acquirable, Permit } from './core/permit.ts'
export { pipeline, type Pipeline, type PipelineOptions } from './core/pipeline.ts'
export type { AlternativeOf, CallOptions, HealthRecord, Policy, PolicyDescription, PolicyLike, PolicyStatus } from './core/policy.ts'
export { childCall, policy, type ChildCall, type ChildCallOptions, type CustomPolicyOptions } from './core/custom-policy.ts'
export { isQuotaExhausted } from './core/quota-exhausted.ts'
export type * from './core/ports/index.ts'
export { replaceable, type Replaceable, type ReplaceableOptions } from './core/replaceable.ts'
export { seededRandom, type Random } from './core/random.ts'
export * from './core/retry-budget/index.ts'
export { isRefusal, refusal, type Refusal } from './core/refusal.ts'
export type { Outcome } from './core/sinks.ts'
export { verdictOf } from './core/verdict.ts'
export * from './patterns/index.ts'
