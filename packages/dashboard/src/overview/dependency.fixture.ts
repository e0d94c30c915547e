import type { DependencyView } from '@holdfast/server/wire'

/** A dependency that does well, but for what is said. */
export function dependencyView(over: Partial<DependencyView> = {}): DependencyView {
  return {
    name: 'llm',
    url: 'http://llm.internal',
    state: 'closed',
    since: 0,
    forced: null,
    silence: null,
    health: { status: 'pass', reason: null },
    nextAttemptAt: null,
    pausedUntil: null,
    recent: { callsPerSecond: 10, successRatio: 1, p50Ms: 10, p95Ms: 20, p99Ms: 30 },
    running: 0,
    queued: 0,
    totals: { requests: 0, succeeded: 0, failed: 0, refused: 0, fallback: 0, cancelled: 0, attempts: 0, attemptFailures: 0 },
    policies: [],
    ...over,
  }
}
