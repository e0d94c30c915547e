import type { Sink } from './layer.ts'
import { isRefusal, toError, type Refusal } from './refusal.ts'

/** How a call ended, as `tryExecute` says it: nothing is thrown, and no error is made for a refusal. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T; readonly error?: undefined; readonly refusal?: undefined }
  | { readonly ok: false; readonly error: unknown; readonly refusal?: undefined; readonly value?: undefined }
  | { readonly ok: false; readonly refusal: Refusal; readonly error?: undefined; readonly value?: undefined }

/** Settles the promise of `execute`. */
export class PromiseSink implements Sink {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  constructor(resolve: (value: unknown) => void, reject: (error: unknown) => void) {
    this.resolve = resolve
    this.reject = reject
  }
  settle(ok: boolean, value: unknown): void {
    if (ok) this.resolve(value)
    else this.reject(toError(value))
  }
}

/** Settles the promise of `tryExecute`. */
export class OutcomeSink implements Sink {
  readonly resolve: (outcome: Outcome<unknown>) => void
  constructor(resolve: (outcome: Outcome<unknown>) => void) {
    this.resolve = resolve
  }
  settle(ok: boolean, value: unknown): void {
    if (ok) this.resolve({ ok: true, value })
    else if (isRefusal(value)) this.resolve({ ok: false, refusal: value })
    else this.resolve({ ok: false, error: value })
  }
}
