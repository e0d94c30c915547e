/** The store surely has not applied the request, and never will: it could not be reached, or has no room. */
export interface Unavailable {
  readonly ok: false
  readonly why: 'unavailable'
  /** Milliseconds after which it may be worth another try; absent when nobody knows. */
  readonly retryAfterMs?: number
}

/**
 * The request left, and no answer came within the deadline: it may have been applied, or may still be. To make sure that it is
 * applied, send the same request again with the same `attempt`; to find out, and keep it from being applied later, resolve it.
 */
export interface Ambiguous {
  readonly ok: false
  readonly why: 'ambiguous'
  readonly attempt: string
}

/** Somebody else has the claim by now: nothing was changed. */
export interface Fenced {
  readonly ok: false
  readonly why: 'fenced'
}

/** What every reading verb of a port is told. */
export interface ReadOptions {
  /** The longest wait for an answer, in ms from now. At 0 or less nothing is sent. */
  readonly deadlineMs: number
}

/** What every verb that changes something is told. */
export interface WriteOptions extends ReadOptions {
  /**
   * Names this very request, 1 to 255 characters, unique for ever (a UUID, say). An engine that has applied it gives the same answer
   * again and applies nothing twice, for as long as its profile's `attempts` says; one that was resolved as `void` is unavailable.
   */
  readonly attempt: string
}

/** What became of an attempt. `void`: it was not applied, and will not be even if the request is still on its way. */
export type Resolution = { readonly ok: true; readonly state: 'applied' | 'void' } | Unavailable

export const noAnswer: Unavailable = Object.freeze({ ok: false, why: 'unavailable' })
export const fenced: Fenced = Object.freeze({ ok: false, why: 'fenced' })
