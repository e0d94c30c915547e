import type { DependencyHistory, HistoryRange } from '@holdfast/server/wire'

/** What the history says about a dependency that is in trouble. */
export interface TroubleFigures {
  /** Start of the first bucket of the failing that led to its state, epoch ms. */
  readonly failingSince: number
  /** Of what was sent to it since then. */
  readonly errorRatio: number
}

/** From this share of failures on, a bucket counts as failing. */
const failingFrom = 0.1

/**
 * The failing that goes on, or that led to the present state: buckets from the last well answered one before it. Null when the history
 * holds no failure near it.
 */
export function troubleFigures({ from, stepMs, columns }: DependencyHistory, since: number, at: number): TroubleFigures | null {
  const { attempts, attemptFailures } = columns
  const last = attempts.length - 1
  let sent = 0
  let failed = 0
  let first: number | null = null
  for (let index = last; index >= 0; index--) {
    const count = attempts[index] ?? 0
    const bad = attemptFailures[index] ?? 0
    const isFailing = count > 0 && bad / count >= failingFrom
    if (isFailing) {
      sent += count
      failed += bad
      first = index
    } else if (count > 0 && (first !== null || from + index * stepMs < since - stepMs)) break
  }
  if (first === null || sent === 0) return null
  return { failingSince: Math.min(at, from + first * stepMs), errorRatio: failed / sent }
}

/** Answers of the gateway in place of the dependency, since an instant. */
export function answersSince(
  { from, stepMs, columns }: DependencyHistory,
  since: number,
): { readonly refused: number; readonly fallback: number } {
  const first = Math.max(0, Math.floor((since - from) / stepMs))
  const sum = (column: readonly (number | null)[]): number => column.slice(first).reduce<number>((total, value) => total + (value ?? 0), 0)
  return { refused: sum(columns.refused), fallback: sum(columns.fallback) }
}

const reaches: readonly (readonly [HistoryRange, number])[] = [
  ['15m', 840_000],
  ['1h', 3_500_000],
  ['6h', 21_000_000],
]

/** The finest range that reaches back far enough to hold what led to a state of this age. */
export function rangeFor(ageMs: number): HistoryRange {
  return reaches.find(([, ms]) => ageMs + 120_000 < ms)?.[0] ?? '24h'
}
