import type { PolicyEvent } from '../events.ts'
import type { LogLevel } from './destination.ts'

/** How events of one type are logged. */
export interface EventLine {
  readonly level: LogLevel
  /** `{policy}` and `{…}` with the name of a field of the event are filled in. */
  readonly message: string
  /** Fields of the event that are written; an `error` always is, as `err`. Names of callers (`key`) never belong here. */
  readonly fields?: readonly string[]
  /** Something is different from now on: never held back as a repeat. @defaultValue false */
  readonly isChange?: boolean
}

const counts = ['failures', 'calls', 'slowCalls']

/** The lines of the events of this package. Their messages are stable: people search for them and alert on them. */
export const eventLines: Readonly<Record<string, EventLine>> = {
  'circuit.opened': change('warn', 'Circuit OPEN for service {policy}', ['reason', ...counts, 'openForMs', 'nextAttemptAt']),
  'circuit.half-opened': change('info', 'Circuit HALF_OPEN for service {policy}'),
  'circuit.closed': change('info', 'Circuit CLOSED for service {policy}', ['from', 'manual']),
  'circuit.isolated': change('warn', 'Circuit ISOLATED for service {policy}'),
  'circuit.disabled': change('warn', 'Circuit DISABLED for service {policy}'),
  'circuit.would-have-opened': {
    level: 'warn',
    message: 'Circuit would have opened for service {policy}',
    fields: ['reason', ...counts],
  },
  'circuit.ejection-capped': {
    level: 'warn',
    message: 'Circuit kept closed for service {policy}: as many of its group are open as may be',
    fields: ['reason', ...counts],
  },
  'circuit.restored': change('info', 'Circuit restored as {state} for service {policy}', ['state']),
  'circuit.probe-expired': { level: 'warn', message: 'Circuit probe expired for service {policy}' },
  'retry.scheduled': {
    level: 'info',
    message: 'Retry attempt {attempt} for service {policy} in {delayMs} ms',
    fields: ['attempt', 'delayMs'],
  },
  'retry.exhausted': { level: 'warn', message: 'Retries exhausted for service {policy} after {attempts} attempts', fields: ['attempts'] },
  'retry.budget-exhausted': { level: 'warn', message: 'Retry budget {budget} exhausted for service {policy}', fields: ['budget'] },
  'timeout.fired': { level: 'warn', message: 'Timeout after {afterMs} ms for service {policy}', fields: ['afterMs'] },
  'timeout.late': { level: 'info', message: 'Abandoned work ended late for service {policy}', fields: ['lateByMs'] },
  'bulkhead.rejected': {
    level: 'warn',
    message: 'Bulkhead rejected a call for service {policy}',
    fields: ['code', 'running', 'queued'],
  },
  'bulkhead.queued': { level: 'debug', message: 'Bulkhead queued a call for service {policy}', fields: ['running', 'queued'] },
  'bulkhead.hold-expired': {
    level: 'warn',
    message: 'Bulkhead took a place back after {maxHoldMs} ms for service {policy}',
    fields: ['maxHoldMs'],
  },
  'bulkhead.resized': change('info', 'Bulkhead resized from {from} to {to} for service {policy}', ['from', 'to']),
  'worker.started': { level: 'debug', message: 'Worker started for service {policy}' },
  'worker.ended': { level: 'debug', message: 'Worker ended ({why}) for service {policy}', fields: ['why'] },
  'limiter.rejected': { level: 'warn', message: 'Rate limit rejected a call for service {policy}', fields: ['code', 'retryAfterMs'] },
  'limiter.paused': change('warn', 'Rate limit PAUSED for service {policy} for {forMs} ms', ['forMs']),
  'limiter.resumed': change('info', 'Rate limit RESUMED for service {policy}'),
  'limiter.callback-failed': {
    level: 'warn',
    message: 'Rate limit callback {callback} failed for service {policy}',
    fields: ['callback'],
  },
  'load.shedding-started': change('warn', 'Load shedding STARTED for service {policy}', ['load', 'dark']),
  'load.shedding-ended': change('info', 'Load shedding ENDED for service {policy}', ['forMs', 'shed', 'dark']),
  'load.shed': { level: 'warn', message: 'Load shed for service {policy}', fields: ['priority', 'load', 'calls', 'dark'] },
  'concurrency.rejected': {
    level: 'warn',
    message: 'Adaptive limit rejected a call for service {policy}',
    fields: ['code', 'limit', 'running', 'queued'],
  },
  'concurrency.limit-changed': {
    level: 'debug',
    message: 'Adaptive limit moved from {from} to {to} for service {policy}',
    fields: ['from', 'to'],
  },
  'idempotency.replayed': { level: 'debug', message: 'Idempotent result replayed for service {policy}', fields: ['operation'] },
  'idempotency.refused': {
    level: 'warn',
    message: 'Idempotency refused a call for service {policy}: {code}',
    fields: ['operation', 'code'],
  },
  'idempotency.recovered': {
    level: 'info',
    message: 'Interrupted operation recovered for service {policy}',
    fields: ['operation', 'outcome'],
  },
  'idempotency.unprotected': {
    level: 'warn',
    message: 'Operation ran without its idempotency store for service {policy}',
    fields: ['operation'],
  },
  'idempotency.lease-lost': { level: 'error', message: 'Idempotency lease lost for service {policy}', fields: ['operation'] },
  'idempotency.not-stored': {
    level: 'error',
    message: 'Outcome of an idempotent operation could not be stored for service {policy}',
    fields: ['operation'],
  },
  'hedge.started': { level: 'debug', message: 'Hedge started for service {policy}', fields: ['attempt', 'afterMs'] },
  'hedge.won': { level: 'debug', message: 'Hedge answered first for service {policy}', fields: ['attempt'] },
  'hedge.suppressed': { level: 'warn', message: 'Hedge not allowed by the budget for service {policy}', fields: ['attempt', 'budget'] },
  'cache.stale-served': { level: 'warn', message: 'Old value served for service {policy}', fields: ['ageMs', 'error'] },
  'cache.refresh-failed': { level: 'warn', message: 'Value could not be refreshed for service {policy}', fields: ['error'] },
  'throttler.rejected': {
    level: 'warn',
    message: 'Throttler rejected a call for service {policy}',
    fields: ['code', 'running', 'queued'],
  },
  'state.entered': { level: 'debug', message: 'State {to} entered from {from} in {policy}', fields: ['from', 'to', 'event'] },
  'state.transition-refused': { level: 'warn', message: 'Transition {event} refused in {policy}', fields: ['state', 'event'] },
  'state.transition-failed': { level: 'error', message: 'Transition {event} failed in {policy}', fields: ['state', 'event', 'error'] },
  'fallback.used': { level: 'warn', message: 'Fallback used for service {policy}' },
  'fallback.failed': { level: 'error', message: 'Fallback failed for service {policy}' },
  'system.policy-registered': { level: 'debug', message: 'Policy registered: {policy}' },
  'system.policy-removed': { level: 'debug', message: 'Policy removed: {policy}' },
}

/** For types that are not in any table: what happened, with the figures it brought. */
export function lineOfUnknown(event: PolicyEvent): EventLine {
  const isFailedCallback = event.type.endsWith('.callback-failed')
  const figures = Object.entries(event).filter(
    ([name, value]) => name !== 'at' && (typeof value === 'number' || typeof value === 'boolean'),
  )
  return {
    level: isFailedCallback ? 'error' : 'info',
    message: isFailedCallback ? 'Function {callback} failed in {policy}' : `${event.type} for service {policy}`,
    fields: isFailedCallback ? ['callback'] : figures.map(([name]) => name),
  }
}

function change(level: LogLevel, message: string, fields: readonly string[] = []): EventLine {
  return { level, message, fields, isChange: true }
}
