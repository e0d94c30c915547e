import type { DependencyView } from '@holdfast/server/wire'
import { countText, latencyText, rateText, ratioText } from '../words/figure-text.ts'
import type { PolicyFigure } from './policy-figures.ts'

/** The figures of a dependency: of the last minute, of now, and since the start of the server. */
export function dependencyFigures({
  recent,
  running,
  queued,
  totals,
}: Pick<DependencyView, 'recent' | 'running' | 'queued' | 'totals'>): PolicyFigure[] {
  return [
    { label: 'calls per second', value: rateText(recent.callsPerSecond) },
    { label: 'success, last 60 s', value: ratioText(recent.successRatio) },
    { label: 'p50', value: latencyText(recent.p50Ms) },
    { label: 'p95', value: latencyText(recent.p95Ms) },
    { label: 'p99', value: latencyText(recent.p99Ms) },
    { label: 'running', value: countText(running) },
    { label: 'waiting', value: countText(queued) },
    { label: 'requests since the start', value: countText(totals.requests) },
    { label: 'failed', value: countText(totals.failed) },
    { label: 'refused', value: countText(totals.refused) },
    { label: 'by fallback', value: countText(totals.fallback) },
    { label: 'given up by clients', value: countText(totals.cancelled) },
    { label: 'attempts', value: countText(totals.attempts) },
  ]
}
