import type { Call } from 'holdfast'

/** Work of which every run ends when the test says so. */
export interface Fetches {
  readonly run: (call: Call) => Promise<unknown>
  readonly calls: Call[]
  /** Of the run with this number, from 1. */
  finish(number: number, value: unknown): void
  fail(number: number, error: unknown): void
}

export function fetches(): Fetches {
  const calls: Call[] = []
  const ends: { readonly resolve: (value: unknown) => void; readonly reject: (error: unknown) => void }[] = []
  return {
    calls,
    run: (call) => {
      calls.push(call)
      return new Promise((resolve, reject) => ends.push({ resolve, reject }))
    },
    finish: (number, value) => ends[number - 1]?.resolve(value),
    fail: (number, error) => ends[number - 1]?.reject(error),
  }
}
