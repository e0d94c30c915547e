import type { TimedContestant } from '../case.ts'
import { work } from './work.ts'

/** The versions of the peers, as they appear in the results. */
export const names = {
  cockatiel: 'cockatiel 3.2.1',
  opossum: 'opossum 9.0.0',
  mollitia: 'mollitia 0.1.1',
  effect: 'effect 4.1.0',
  pLimit: 'p-limit 7.3.3',
  pQueue: 'p-queue 9.3.5',
  pRetry: 'p-retry 7.1.1',
  bottleneck: 'bottleneck 2.19.5',
  rateLimiterFlexible: 'rate-limiter-flexible 11.4.0',
  xstate: 'xstate 5.33.3',
  robot3: 'robot3 1.4.0',
  hdr: 'hdr-histogram-js 3.0.1',
  tdigest: 'tdigest 0.1.3',
  nodeHistogram: 'node:perf_hooks histogram',
} as const

export const timeoutMs = 2_000
export const places = 10
export const queued = 20

export const bare: TimedContestant = { name: 'bare `await fn()`', role: 'bare', call: () => work() }

/** What a caller who expects refusals does with them. */
export const swallow = (): undefined => undefined
