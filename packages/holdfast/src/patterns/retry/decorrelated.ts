import type { Random } from '../../core/random.ts'
import type { Delays } from './backoff.ts'

const steepness = 4

/** Median of the difference before retry 1, 2, 3 …, as a share of 2^(retry − 1); the last one holds for all further retries. */
const medianShares = [1.256, 0.798, 0.708, 0.7] as const

/** Beyond it every delay is the longest one, and powers of two would soon leave the range of numbers. */
const lastGrowth = 900

/**
 * Decorrelated jitter, version 2: delays are differences of a smooth function of (retry + random), so that those of many callers
 * spread evenly instead of clustering at the edges. Function and steepness: Polly.Contrib.WaitAndRetry,
 * DecorrelatedJitterBackoffV2; each difference is divided by its median, so that the median before retry n is
 * `initialDelayMs` · 2^(n − 1).
 */
export function decorrelatedDelays(initialDelayMs: number, maxDelayMs: number, random: Random): Delays {
  let previous = 0
  return {
    next({ attempt }) {
      if (attempt > lastGrowth) return initialDelayMs === 0 ? 0 : maxDelayMs
      const position = attempt - 1 + random()
      const current = 2 ** position * Math.tanh(Math.sqrt(steepness * position))
      const share = medianShares[Math.min(attempt, medianShares.length) - 1] as number
      const delayMs = (Math.max(0, current - previous) / share) * initialDelayMs
      previous = current
      return Math.min(maxDelayMs, delayMs)
    },
  }
}
