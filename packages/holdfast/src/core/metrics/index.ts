export type { MetricKind, MetricOptions } from './declaration.ts'
export { metrics, metricsFacade, type MetricsFacade, type MetricTags } from './facade.ts'
export type { Metric } from './family.ts'
export type { CounterHandle, GaugeHandle, HistogramHandle } from './handles.ts'
export type { LabelValues } from './label-text.ts'
export { logHistogram, type LogHistogram, type LogHistogramOptions } from './log-histogram.ts'
export { negotiateMetricsFormat } from './negotiate.ts'
export type { Collect, Report } from './observed.ts'
export {
  metricsRegistry,
  type Counter,
  type Gauge,
  type Histogram,
  type HistogramOptions,
  type MetricsRegistry,
  type MetricsRegistryOptions,
} from './registry.ts'
export type { MetricScope } from './scope.ts'
export type { HistogramSnapshot, MetricSnapshot, ScalarSnapshot, SeriesSnapshot } from './snapshot.ts'
export { metricsContentTypes, type MetricsFormat } from './text-format.ts'
