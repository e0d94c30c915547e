import type { Call } from 'holdfast'

/** Work of which every attempt ends when the test says so. */
export interface Attempts {
  readonly run: (call: Call) => Promise<string>
  readonly calls: Call[]
  /** Of the attempt with this number, from 1. */
  finish(number: number, value?: string): void
  fail(number: number, error: unknown): void
}

export function attempts(): Attempts {
  const calls: Call[] = []
  const ends: { readonly resolve: (value: string) => void; readonly reject: (error: unknown) => void }[] = []
  return {
    calls,
    run: (call) => {
      calls.push(call)
      return new Promise((resolve, reject) => ends.push({ resolve, reject }))
    },
    finish: (number, value = `answer ${number}`) => ends[number - 1]?.resolve(value),
    fail: (number, error) => ends[number - 1]?.reject(error),
  }
}
