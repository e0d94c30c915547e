import type { Collect, MetricsRegistry, MetricScope } from '../core/metrics/index.ts'
import type { FaultTolerantSystem } from './fault-tolerant-system.ts'
import { checkOptionNames, choiceOption } from '../core/options.ts'
import { pollyMetrics, resilience4jMetrics } from './metrics-aliases.ts'
import { policyMetrics, statusesByKind, type PolicyMetric, type Statuses } from './policy-metrics.ts'

/** Under which names the figures of policies are shown. */
export type MetricNames = 'holdfast' | 'resilience4j' | 'polly'

export interface ExposeMetricsOptions {
  /**
   * `resilience4j` and `polly` show what those libraries call by such names, for boards and alerts that exist already; figures that are not
   * measured here are left out. Several can be shown in one registry. @defaultValue 'holdfast'
   */
  readonly names?: MetricNames
}

const metricsByName: Readonly<Record<MetricNames, readonly PolicyMetric[]>> = {
  holdfast: policyMetrics,
  resilience4j: resilience4jMetrics,
  polly: pollyMetrics,
}

/**
 * Shows all policies of a system in a registry, read when it is scraped: the calls themselves pay nothing. Returns the function
 * that ends it.
 * @throws HoldfastError `ERR_INVALID_OPTION`.
 */
export function exposeMetrics(system: FaultTolerantSystem, registry: MetricsRegistry, options: ExposeMetricsOptions = {}): () => void {
  checkOptionNames('exposeMetrics', options, ['names'])
  const names = choiceOption('exposeMetrics', 'names', options.names ?? 'holdfast', ['holdfast', 'resilience4j', 'polly'] as const)
  const scope: MetricScope = registry.scope()
  const read = statusReader(system)
  for (const { kind, name, help, labelNames, read: values } of metricsByName[names]) {
    const collect: Collect<string> = (report) => {
      for (const [labels, value] of values(read())) report(value, labels)
    }
    if (kind === 'counter') registry.observeCounter<string>({ name, help, labelNames }, collect, scope)
    else registry.observeGauge<string>({ name, help, labelNames }, collect, scope)
  }
  return () => scope.dispose()
}

/** Reads every policy once per scrape, not once per metric: what one turn of the event loop sees is the same for all. */
function statusReader(system: FaultTolerantSystem): () => Statuses {
  let known: Statuses | undefined
  return () => {
    if (known !== undefined) return known
    known = statusesByKind([...system.policies().values()].filter(({ kind }) => kind !== 'pipeline').map((policy) => policy.status()))
    queueMicrotask(() => {
      known = undefined
    })
    return known
  }
}
