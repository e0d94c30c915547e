export interface Deferred<T = void> {
  readonly promise: Promise<T>
  resolve(value: T): void
  reject(error: unknown): void
}

/** A promise that is settled by hand. */
export function deferred<T = void>(): Deferred<T> {
  let resolve!: (value: T) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue
    reject = onError
  })
  return { promise, resolve, reject }
}

/** A function that never answers, and does not listen. */
export function hang(): Promise<never> {
  return new Promise(() => undefined)
}

/** An error that retries take for a passing one. */
export function transientError(message = 'connection reset'): Error {
  return Object.assign(new Error(message), { code: 'ECONNRESET' })
}

export function failing(): Promise<never> {
  return Promise.reject(transientError())
}
