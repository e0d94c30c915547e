import type { PolicyView } from '@holdfast/server/wire'
import { countText, durationText, latencyText, ratioText } from '../words/figure-text.ts'

/** One figure of a policy: `12 of 20` `failed`. */
export interface PolicyFigure {
  readonly label: string
  readonly value: string
}

type Status = PolicyView['status']

/** The figures that say how a policy does, those of now first. Kinds this page does not know show their plain numbers. */
export function policyFigures({ kind, status }: Pick<PolicyView, 'kind' | 'status'>): PolicyFigure[] {
  return (Object.hasOwn(figuresOf, kind) ? figuresOf[kind] : plainFigures)?.(status) ?? []
}

const figuresOf: Readonly<Record<string, (status: Status) => PolicyFigure[]>> = {
  'circuit-breaker': (status) => [
    figure('failed in the window', shareText(number(status, 'failures'), number(status, 'calls'), number(status, 'failureRate'))),
    ...some(status, 'slowCallRate', 'slow', ratioText),
    ...probesOf(status),
    figure('refused', count(status, 'refusedTotal')),
    figure('opened', times(status, 'openedTotal')),
    ...(status['mode'] === 'metrics-only' ? [figure('would have opened', times(status, 'wouldHaveOpenedTotal'))] : []),
  ],
  bulkhead: (status) => [
    figure('running', ofMost(status, 'running', 'maxConcurrent')),
    figure('waiting', ofMost(status, 'queued', 'maxQueued')),
    figure('admitted', count(status, 'admitted')),
    figure('refused', count(status, 'rejected')),
    ...some(status, 'averageRunMs', 'place held, mean', latencyText),
  ],
  'rate-limiter': (status) => [
    ...limitsOf(status),
    figure('waiting', count(status, 'queued')),
    figure('admitted', count(status, 'admitted')),
    figure('refused', count(status, 'refused')),
  ],
  retry: (status) => [
    figure('asked again', times(status, 'totalRetries')),
    figure('saved by it', count(status, 'successfulRetries')),
    figure('failed in spite of it', count(status, 'failedRetries')),
    figure('kept back by the budget', count(status, 'budgetExhausted')),
    figure('waiting', count(status, 'waiting')),
    ...some(status, 'averageDelayMs', 'delay, mean', latencyText),
  ],
  timeout: (status) => [
    figure('gives up after', text(number(status, 'afterMs'), durationText)),
    figure('gave up', times(status, 'timeouts')),
    figure('work still running', count(status, 'abandoned')),
  ],
  fallback: (status) => [figure('answered', times(status, 'used')), figure('failed itself', times(status, 'failed'))],
}

function plainFigures(status: Status): PolicyFigure[] {
  return Object.entries(status).flatMap(([label, value]) => (typeof value === 'number' ? [figure(label, countText(value))] : []))
}

function figure(label: string, value: string): PolicyFigure {
  return { label, value }
}

function number(status: Status, name: string): number | null {
  const value = status[name]
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

function text(value: number | null, write: (value: number) => string): string {
  return value === null ? '–' : write(value)
}

function count(status: Status, name: string): string {
  return countText(number(status, name))
}

function times(status: Status, name: string): string {
  const value = number(status, name)
  return value === null ? '–' : `${countText(value)} ×`
}

function ofMost(status: Status, name: string, most: string): string {
  return number(status, most) === null ? count(status, name) : `${count(status, name)} of ${count(status, most)}`
}

function shareText(part: number | null, all: number | null, rate: number | null): string {
  if (all === null) return countText(part)
  return `${countText(part)} of ${countText(all)}${rate === null ? '' : ` (${ratioText(rate)})`}`
}

function some(status: Status, name: string, label: string, write: (value: number) => string): PolicyFigure[] {
  const value = number(status, name)
  return value === null ? [] : [figure(label, write(value))]
}

function probesOf(status: Status): PolicyFigure[] {
  const probes = status['probes']
  if (typeof probes !== 'object' || probes === null) return []
  const { running, successes, failures } = probes as Record<string, unknown>
  return [figure('probes', `${String(running)} running, ${String(successes)} good, ${String(failures)} bad`)]
}

function limitsOf(status: Status): PolicyFigure[] {
  const limits = status['limits']
  if (typeof limits !== 'object' || limits === null) return []
  return Object.values(limits).flatMap((each) => {
    const { limit, windowMs } = each as { readonly limit?: unknown; readonly windowMs?: unknown }
    return typeof limit === 'number' && typeof windowMs === 'number'
      ? [figure('allows', `${countText(limit)} in ${durationText(windowMs)}`)]
      : []
  })
}
