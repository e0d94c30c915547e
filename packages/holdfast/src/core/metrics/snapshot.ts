import type { MetricKind } from './declaration.ts'

/** One series of a counter or gauge; null when the value is no finite number. */
export interface ScalarSnapshot {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number | null
}

/** One series of a histogram since the start, in the metric's unit; null without values. Percentiles are estimates. */
export interface HistogramSnapshot {
  readonly labels: Readonly<Record<string, string>>
  readonly count: number
  readonly sum: number
  readonly mean: number | null
  readonly p50: number | null
  readonly p95: number | null
  readonly p99: number | null
  readonly max: number | null
}

export type SeriesSnapshot = ScalarSnapshot | HistogramSnapshot

/** A metric as plain data. */
export type MetricSnapshot = {
  readonly name: string
  readonly help: string
  readonly labelNames: readonly string[]
} & (
  | { readonly kind: Exclude<MetricKind, 'histogram'>; readonly series: readonly ScalarSnapshot[] }
  | { readonly kind: 'histogram'; readonly series: readonly HistogramSnapshot[] }
)
