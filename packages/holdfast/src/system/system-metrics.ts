import type { Collect, MetricsRegistry, MetricScope } from '../core/metrics/index.ts'
import type { FaultTolerantSystem } from './fault-tolerant-system.ts'
import { policyMetrics, statusesByKind, type Statuses } from './policy-metrics.ts'

/**
 * Shows all policies of a system in a registry, read when it is scraped: the calls themselves pay nothing. Returns the function
 * that ends it.
 */
export function exposeMetrics(system: FaultTolerantSystem, registry: MetricsRegistry): () => void {
  const scope: MetricScope = registry.scope()
  const read = statusReader(system)
  for (const { kind, name, help, labelNames, read: values } of policyMetrics) {
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
