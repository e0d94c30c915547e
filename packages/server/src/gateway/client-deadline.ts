import type { IncomingHttpHeaders } from 'node:http'

/** A header that says how long its sender waits, and how to read it as milliseconds from now; undefined when it cannot be read. */
interface DeadlineHeader {
  readonly name: string
  readonly expected: string
  readonly read: (value: string, wallNowMs: number) => number | undefined
}

const longestMs = 365 * 24 * 3_600_000

const headers: readonly DeadlineHeader[] = [
  { name: 'x-holdfast-timeout-ms', expected: 'milliseconds from now, such as 2500', read: wholeMs },
  {
    name: 'x-holdfast-deadline',
    expected: 'an instant, as milliseconds since 1970 or such as 2030-01-31T12:00:00Z',
    read: untilInstant,
  },
  {
    name: 'x-envoy-upstream-rq-timeout-ms',
    expected: 'milliseconds from now; 0 for no limit',
    read: (value) => wholeMs(value) || undefined,
  },
  { name: 'grpc-timeout', expected: 'up to 8 digits and one of H, M, S, m, u, n', read: grpcTimeout },
]

/** The names of all headers that carry a client's deadline. They end here: what is left of the time is told anew. */
export const deadlineHeaderNames: ReadonlySet<string> = new Set(headers.map(({ name }) => name))

/**
 * How long the client waits, in ms; undefined when it does not say. The shortest counts when it says so more than once. A value that
 * cannot be read is a `problem`: a client that believes in a limit must not wait without one.
 */
export function clientDeadlineMs(given: IncomingHttpHeaders, wallNowMs: number): number | undefined | { readonly problem: string } {
  let shortest: number | undefined
  for (const { name, expected, read } of headers) {
    const value = given[name]
    if (value === undefined) continue
    const text = String(value).trim()
    if (name === 'x-envoy-upstream-rq-timeout-ms' && text === '0') continue
    const ms = read(text, wallNowMs)
    if (ms === undefined) return { problem: `the header ${name} must be ${expected}` }
    shortest = Math.min(shortest ?? longestMs, ms)
  }
  return shortest
}

/** Writes what is left of a deadline into the header an upstream reads: in gRPC's form, or as whole milliseconds. */
export function deadlineHeaderValue(name: string, remainingMs: number): string {
  const ms = Math.max(0, Math.floor(remainingMs))
  if (name !== 'grpc-timeout') return String(ms)
  return ms < 100_000_000 ? `${ms}m` : `${Math.floor(ms / 1_000)}S`
}

function wholeMs(text: string): number | undefined {
  return /^\d{1,11}$/.test(text) ? Number(text) : undefined
}

function untilInstant(text: string, wallNowMs: number): number | undefined {
  const at = /^\d{12,14}$/.test(text)
    ? Number(text)
    : /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(text)
      ? Date.parse(text)
      : Number.NaN
  return Number.isNaN(at) ? undefined : Math.max(0, at - wallNowMs)
}

const unitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 }

function grpcTimeout(text: string): number | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(text)
  return match === null ? undefined : Number(match[1]) * (unitMs[match[2] ?? ''] ?? 1)
}
