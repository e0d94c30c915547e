import type { Call } from 'holdfast'

export interface Work {
  /** The function to protect: it goes on until it is told to end, whether or not anybody still waits. */
  readonly run: (call: Call) => Promise<string>
  readonly started: boolean
  finish(): void
  fail(error: unknown): void
}

/** Work that ends when the test says so. */
export function work(): Work {
  const { promise, resolve, reject } = deferred<string>()
  let started = false
  return {
    run: () => {
      started = true
      return promise
    },
    get started() {
      return started
    },
    finish: () => resolve('done'),
    fail: reject,
  }
}

export interface Deferred<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: (error: unknown) => void
}

export function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<T>((ok, fail) => {
    resolve = ok
    reject = fail
  })
  return { promise, resolve, reject }
}

/** So many pieces of work. */
export function works(count: number): Work[] {
  return Array.from({ length: count }, work)
}
