import type { DependencyHistory, PolicyView } from '@holdfast/server/wire'
import type { ChartLimit, ChartSeries } from '../chart/chart-data.ts'
import { kindOfPolicy } from '../words/policy-name.ts'

type Column = readonly (number | null)[]

/** What became of each bucket's calls, per second: sent and answered well, sent and failed, never sent. */
export function attemptSeries({ columns, stepMs }: Pick<DependencyHistory, 'columns' | 'stepMs'>): ChartSeries[] {
  const perSecond = (column: Column): Column => column.map((value) => (value === null ? null : value / (stepMs / 1_000)))
  const succeeded = columns.attempts.map((value, index) =>
    value === null ? null : Math.max(0, value - (columns.attemptFailures[index] ?? 0)),
  )
  return [
    { label: 'answered', values: perSecond(succeeded), color: soft('--ok'), form: 'area' },
    { label: 'failed', values: perSecond(columns.attemptFailures), color: 'var(--trace-failed)', form: 'area' },
    { label: 'refused, not sent', values: perSecond(columns.refused), color: 'var(--quiet)', form: 'area', isStriped: true },
  ]
}

/** What is normal is quieter than what failed. Opaque, since areas lie on one another. */
function soft(property: string): string {
  return `color-mix(in srgb, var(${property}) 40%, var(--ground))`
}

export function latencySeries({ columns }: Pick<DependencyHistory, 'columns'>): ChartSeries[] {
  return [
    { label: 'p50', values: columns.p50Ms, color: 'var(--quiet)', form: 'line', width: 1 },
    { label: 'p95', values: columns.p95Ms, color: 'var(--text)', form: 'line', width: 1, dash: [4, 2] },
    { label: 'p99', values: columns.p99Ms, color: 'var(--text)', form: 'line', width: 1.75 },
  ]
}

export function placesSeries({ columns }: Pick<DependencyHistory, 'columns'>): ChartSeries[] {
  return [
    { label: 'running', values: columns.running, color: 'var(--text)', form: 'line', width: 1.75 },
    { label: 'waiting', values: columns.queued, color: 'var(--warning)', form: 'line', dash: [4, 2] },
  ]
}

/** The timeouts of a pipeline, given outermost first: before a retry they hold for all attempts together, behind it for each. */
export function timeoutLimits(pipeline: readonly PolicyView[]): ChartLimit[] {
  const retryAt = pipeline.findIndex(({ id }) => kindOfPolicy(id) === 'retry')
  return pipeline.flatMap((policy, place) => {
    const value = policy.kind === 'timeout' ? policy.status['afterMs'] : undefined
    if (typeof value !== 'number') return []
    const label = retryAt < 0 ? 'timeout' : place < retryAt ? 'total timeout' : 'attempt timeout'
    return [{ label, value }]
  })
}

/** The places and seats of bulkheads. Calls may wait for a rate limiter as well: then the seats are named as those of the bulkhead. */
export function placesLimits(pipeline: readonly PolicyView[]): ChartLimit[] {
  const hasOtherQueue = pipeline.some(({ kind }) => kind === 'rate-limiter')
  return pipeline.flatMap(({ kind, status: { maxConcurrent, maxQueued } }) => {
    if (kind !== 'bulkhead') return []
    return [...limit('maxConcurrent', maxConcurrent), ...limit(hasOtherQueue ? "bulkhead's maxQueued" : 'maxQueued', maxQueued)]
  })
}

function limit(label: string, value: unknown): ChartLimit[] {
  return typeof value === 'number' && value > 0 ? [{ label, value }] : []
}
