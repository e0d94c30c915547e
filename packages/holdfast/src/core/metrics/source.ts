import { CounterSeries, GaugeSeries, HistogramSeries } from './handles.ts'
import type { Declaration } from './declaration.ts'
import type { Family } from './family.ts'
import type { HistogramCells } from './log-histogram.ts'
import type { ObservedFamily } from './observed.ts'
import { boundText, sampleLine, type MetricsFormat } from './text-format.ts'
import type { SeriesSnapshot } from './snapshot.ts'

/** A metric as the registry reads it. Generators pause now and then, so that a long answer can be made in pieces. */
export interface Source {
  readonly declaration: Declaration
  /** The lines of one series at a time; '' is a pause only. */
  lines(format: MetricsFormat): Generator<string>
  snapshot(): readonly SeriesSnapshot[]
}

/** Counters and gauges that are written to. */
export class ScalarSource implements Source {
  readonly declaration: Declaration
  private readonly family: Family<CounterSeries> | Family<GaugeSeries>

  constructor(family: Family<CounterSeries> | Family<GaugeSeries>) {
    this.declaration = family.declaration
    this.family = family
  }

  *lines(): Generator<string> {
    for (const { text, handle } of this.family.series()) yield sampleLine(this.declaration.name, text, handle.value)
  }

  snapshot(): readonly SeriesSnapshot[] {
    return Array.from(this.family.series(), ({ labels, handle }) => ({ labels, value: finiteOrNull(handle.value) }))
  }
}

/** Counters and gauges that are asked for. */
export class ObservedSource implements Source {
  readonly declaration: Declaration
  readonly family: ObservedFamily

  constructor(family: ObservedFamily) {
    this.declaration = family.declaration
    this.family = family
  }

  *lines(): Generator<string> {
    const collecting = this.family.collect()
    let step = collecting.next()
    for (; step.done !== true; step = collecting.next()) yield ''
    for (const { text, value } of step.value) yield sampleLine(this.declaration.name, text, value)
  }

  snapshot(): readonly SeriesSnapshot[] {
    const collecting = this.family.collect()
    let step = collecting.next()
    while (step.done !== true) step = collecting.next()
    return Array.from(step.value, ({ labels, value }) => ({ labels, value: finiteOrNull(value) }))
  }
}

export class HistogramSource implements Source {
  readonly declaration: Declaration
  private readonly family: Family<HistogramSeries>
  private readonly bounds: readonly number[]
  /** The histogram's cells that end at the bounds, then the one that ends at Infinity. */
  private readonly boundCells: readonly number[]

  constructor(family: Family<HistogramSeries>, layout: HistogramCells['layout'], bounds: readonly number[]) {
    this.declaration = family.declaration
    this.family = family
    this.bounds = [...bounds, Infinity]
    this.boundCells = this.bounds.map((bound) => layout.cellEndingAt(bound))
  }

  *lines(format: MetricsFormat): Generator<string> {
    const bounds = this.bounds.map((bound) => `le="${boundText(format, bound)}"`)
    for (const { text, handle } of this.family.series()) yield this.linesOf(format, bounds, text, handle)
  }

  snapshot(): readonly SeriesSnapshot[] {
    return Array.from(this.family.series(), ({ labels, handle }) => {
      const cells = handle.cells()
      const { count, sum } = cells
      const [p50 = null, p95 = null, p99 = null, max = null] = cells.percentilesOf(count, [0.5, 0.95, 0.99, 1])
      return { labels, count, sum, mean: count === 0 ? null : sum / count, p50, p95, p99, max }
    })
  }

  private linesOf(format: MetricsFormat, bounds: readonly string[], labels: string, series: HistogramSeries): string {
    const { name } = this.declaration
    const cells = series.cells()
    const counts = cells.cumulativeCounts(this.boundCells)
    const before = labels === '' ? '' : `${labels},`
    let lines = ''
    bounds.forEach((bound, bucket) => {
      const exemplar = format === 'openmetrics' ? series.exemplars?.of(bucket) : undefined
      lines += sampleLine(`${name}_bucket`, before + bound, counts[bucket] as number, exemplar)
    })
    const count = counts.at(-1) as number
    return lines + sampleLine(`${name}_sum`, labels, cells.sum) + sampleLine(`${name}_count`, labels, count)
  }
}

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null
}
