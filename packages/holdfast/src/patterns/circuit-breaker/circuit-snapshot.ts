import { durationMs, type Duration } from '../../core/duration.ts'
import { checkOptionNames } from '../../core/options.ts'
import type { CircuitGate } from './circuit-gate.ts'
import type { CircuitMode } from './circuit-options.ts'
import type { CircuitState } from './events.ts'
import { snapshotParts, snapshotVersion } from './snapshot-parts.ts'

const states: readonly CircuitState[] = ['closed', 'open', 'half-open', 'isolated', 'disabled']
const modes: readonly CircuitMode[] = ['enforce', 'metrics-only', 'disabled']
/** The last instant a Date can hold. */
const lastInstant = 8.64e15

/**
 * A circuit as JSON, to go on with after a restart. Instants in epoch ms. Figures, windows and probes are not part of it: they say
 * little about another process.
 */
export interface CircuitSnapshot {
  readonly kind: 'circuit-breaker'
  readonly version: 1
  readonly name: string
  readonly savedAt: number
  readonly state: CircuitState
  /** Tells a state that the mode brought about from one that a hand did. */
  readonly mode: CircuitMode
  /** When an open circuit lets a probe in; null in other states, and when only a hand does. */
  readonly openUntil: number | null
  /** Of the open time when it was saved: holds where the clock was set back since. */
  readonly remainingMs: number | null
  /** Openings that count for the growth of the open time. */
  readonly openings: number
  readonly consecutiveFailures: number
  readonly lastFailureAt: number | null
}

export interface RestoreOptions {
  /**
   * A snapshot that is older is not put into force, unless it says what a hand has decided: isolated, disabled, open without end.
   * @defaultValue '1d'
   */
  readonly maxAge?: Duration
}

/** What a saved circuit is brought back to. */
export interface ResumedState {
  readonly state: 'closed' | 'open' | 'isolated' | 'disabled'
  /** Of an open one: Infinity where only a hand ends it. */
  readonly remainingMs: number
  readonly openings: number
  readonly consecutiveFailures: number
  /** Monotonic ms. */
  readonly lastFailureAt: number | undefined
}

export function takeSnapshot(gate: CircuitGate): CircuitSnapshot {
  const { clock, mode } = gate.settings
  const now = clock.now()
  const wallNow = clock.wallNow()
  const { state, endsAt = Infinity } = gate.beneathControl(now)
  const remainingMs = endsAt === Infinity ? null : Math.round(endsAt - now)
  return {
    kind: 'circuit-breaker',
    version: snapshotVersion,
    name: gate.name,
    savedAt: wallNow,
    state,
    mode,
    openUntil: remainingMs === null ? null : wallNow + remainingMs,
    remainingMs,
    openings: gate.openingsAt(now),
    consecutiveFailures: gate.record === undefined ? 0 : gate.record.consecutiveFailures,
    lastFailureAt: gate.lastFailureAt === undefined ? null : Math.round(wallNow + gate.lastFailureAt - now),
  }
}

/**
 * Puts a snapshot into force; answers false for one that is too old.
 * @throws HoldfastError `ERR_INVALID_ARGUMENT` when it is no snapshot of this circuit; nothing has changed then.
 */
export function restoreSnapshot(gate: CircuitGate, given: unknown, maxAgeMs: number): boolean {
  const snapshot = checkedSnapshot(gate.name, given)
  const { clock, mode } = gate.settings
  const ageMs = Math.max(0, clock.wallNow() - snapshot.savedAt)
  const state = wantedState(snapshot, mode)
  const isByHand = state === 'isolated' || state === 'disabled' || (state === 'open' && isEndless(snapshot))
  if (ageMs > maxAgeMs && !isByHand) return false
  const lastFailureAgo = snapshot.lastFailureAt === null ? undefined : Math.max(0, clock.wallNow() - snapshot.lastFailureAt)
  gate.resume({
    state,
    remainingMs: isEndless(snapshot) ? Infinity : Math.max(0, (snapshot.remainingMs ?? 0) - ageMs),
    openings: snapshot.openings,
    consecutiveFailures: snapshot.consecutiveFailures,
    lastFailureAt: lastFailureAgo === undefined ? undefined : clock.now() - lastFailureAgo,
  })
  return true
}

/** @throws HoldfastError `ERR_INVALID_OPTION` */
export function maxAgeOption(owner: string, options: RestoreOptions): number {
  checkOptionNames(owner, options, ['maxAge'])
  return durationMs(owner, 'maxAge', options.maxAge ?? '1d', { allowInfinity: true })
}

/** @throws HoldfastError `ERR_INVALID_ARGUMENT` when it is no snapshot of the circuit of this name */
export function checkedSnapshot(name: string, given: unknown): CircuitSnapshot {
  const part = snapshotParts(name, 'circuit-breaker', given)
  const snapshot: CircuitSnapshot = {
    kind: 'circuit-breaker',
    version: snapshotVersion,
    name: part.equal('name', name, `'${name}'`),
    savedAt: part.number('savedAt', { min: 0, max: lastInstant }),
    state: part.choice('state', states),
    mode: part.choice('mode', modes),
    openUntil: part.numberOrNull('openUntil', { min: 0, max: Number.MAX_VALUE }),
    remainingMs: part.numberOrNull('remainingMs', { min: 0, max: Number.MAX_VALUE }),
    openings: part.number('openings', { min: 0, max: 1_000_000_000, whole: true }),
    consecutiveFailures: part.number('consecutiveFailures', { min: 0, max: Number.MAX_SAFE_INTEGER, whole: true }),
    lastFailureAt: part.numberOrNull('lastFailureAt', { min: -lastInstant, max: lastInstant }),
  }
  const { state, openUntil, remainingMs, savedAt } = snapshot
  if ((openUntil === null) !== (remainingMs === null)) throw part.wrong('remainingMs', "null where 'openUntil' is null, and only there")
  if (remainingMs !== null && state !== 'open') throw part.wrong('remainingMs', "null unless 'state' is 'open'")
  if (remainingMs !== null && Math.abs(savedAt + remainingMs - (openUntil as number)) > 1)
    throw part.wrong('openUntil', "'savedAt' plus 'remainingMs'")
  return snapshot
}

/** A mode keeps or ends what only time and results have brought about. Probes that ran are gone: the next call is the first one. */
function wantedState({ state, mode, openUntil }: CircuitSnapshot, modeNow: CircuitMode): ResumedState['state'] {
  if (state === 'isolated') return 'isolated'
  if (state === 'disabled') return mode === 'disabled' && modeNow !== 'disabled' ? 'closed' : 'disabled'
  if (modeNow === 'disabled') return 'disabled'
  if (state === 'closed') return 'closed'
  const isByHand = state === 'open' && openUntil === null
  return modeNow === 'metrics-only' && !isByHand ? 'closed' : 'open'
}

function isEndless({ state, openUntil }: CircuitSnapshot): boolean {
  return state === 'open' && openUntil === null
}
