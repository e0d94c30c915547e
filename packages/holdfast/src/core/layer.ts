import type { Call, CallState } from './call.ts'
import type { Refusal } from './refusal.ts'

/** Verdict of a settled call as gates see it. `ignored` says nothing about the dependency: an inner refusal, the caller's abort. */
export type Verdict = 'success' | 'failure' | 'ignored'

/** Where an answer goes. Exactly one call of `settle` per `start`. */
export interface Sink {
  /** `value` is the result when `ok`; otherwise the error thrown, or a {@link Refusal}. */
  settle(ok: boolean, value: unknown): void
}

/** What a flow starts: all that lies inside it. */
export interface Layer {
  start(call: Call, out: Sink): void
}

/** Receives the answer of an admission that had to wait. */
export interface Seat<P> {
  grant(permit: P): void
  refuse(refusal: Refusal): void
}

/** An admission that has not been answered. */
export interface Waiting {
  readonly waiting: true
  /** Takes the place in the queue back; no permit is lost, and the seat hears nothing more. */
  cancel(): void
}

/**
 * A policy that only lets in and counts out. All methods are synchronous, never throw, and call no user code that could
 * re-enter them.
 */
export interface Gate<P = unknown> {
  readonly kind: 'gate'
  /** Answers with a permit, a {@link Refusal}, or a {@link Waiting}: then the seat is answered once, later. Without a seat it must not wait. */
  admit(call: Call, seat: Seat<P> | undefined): P | Refusal | Waiting
  /**
   * A shorter way to the same: the permit when it can be had at once and nothing has to be said about it; undefined otherwise, and
   * {@link Gate.admit} is asked. It must not be a refusal.
   */
  admitNow?(call: Call): P | undefined
  /** The verdict on the call; see {@link verdictOf}. */
  settle(permit: P, ok: boolean, value: unknown, call: Call): void
  /** The work has ended, not merely been answered: places are given back here. */
  leave?(permit: P): void
  /** Asked after the call waited further inside: may the permit still be used? Answers true, or false or the reason why not. */
  stillValid?(permit: P): boolean | Refusal
}

/** A policy that decides whether, when, how often or how long: it starts `next` never, once or often. */
export interface Flow {
  readonly kind: 'flow'
  start(next: Layer, call: Call, out: Sink): void | PromiseLike<void>
}

/**
 * A flow of this package that has nothing to do before its first attempt has failed, and stands back until then.
 */
export interface RelaxedFlow<Rules = unknown> extends Flow {
  /** What a call goes by to its end, whatever is changed meanwhile. */
  readonly settings: Rules
  /** The call for the function, or undefined: then {@link Flow.start} is asked. */
  startRelaxed(call: CallState): CallState | undefined
  /** The attempt, which {@link startRelaxed} made, has failed: goes on as if `start` had begun the call. */
  resume(next: Layer, call: CallState, attempt: CallState, out: Sink, error: unknown, settings: Rules): void
}

export type Part = Gate | Flow

/** A layer of the compiled chain. Inside, a call is always a {@link CallState}. */
export interface ChainLayer {
  start(call: CallState, out: Sink): void
}
