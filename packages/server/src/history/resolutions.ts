import type { Bucket, HistoryRange } from '../wire.ts'

/** One way to divide time: 180 buckets make a range. */
export interface Resolution {
  readonly range: HistoryRange
  readonly stepMs: number
  /** For how long its buckets are stored; the coarsest ones as long as the configuration says. */
  readonly storedForMs: number
}

/** Buckets of one range. */
export const bucketsPerRange = 180

const minuteMs = 60_000

/** Finest first; every step is a multiple of the one before, so that coarse buckets are sums of fine ones. */
export const resolutions: readonly [Resolution, ...Resolution[]] = [
  // stored for longer than the coarsest bucket lasts: what of one had passed when the server ended is put together again
  { range: '15m', stepMs: 5_000, storedForMs: 30 * minuteMs },
  { range: '1h', stepMs: 20_000, storedForMs: 90 * minuteMs },
  { range: '6h', stepMs: 2 * minuteMs, storedForMs: 8 * 60 * minuteMs },
  { range: '24h', stepMs: 8 * minuteMs, storedForMs: Infinity },
]

export const finestStepMs: number = resolutions[0].stepMs

/** What is added up; a bucket also has percentiles and the most that ran and waited. */
export const countNames = [
  'requests',
  'succeeded',
  'failed',
  'refused',
  'fallback',
  'cancelled',
  'attempts',
  'attemptFailures',
] as const satisfies readonly (keyof Bucket)[]

export type CountName = (typeof countNames)[number]

export const percentileNames = ['p50Ms', 'p95Ms', 'p99Ms'] as const satisfies readonly (keyof Bucket)[]
export const levelNames = ['running', 'queued'] as const satisfies readonly (keyof Bucket)[]

/** Every column of a bucket, in the order in which they are kept and stored. */
export const columnNames = [...countNames, ...percentileNames, ...levelNames] as const
