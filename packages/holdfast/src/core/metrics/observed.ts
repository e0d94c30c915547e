import type { Declaration, MetricKind } from './declaration.ts'
import { labelText, overflowLabels, plainLabels } from './label-text.ts'
import type { Scope } from './scope.ts'

/**
 * Reports one series of an observed metric. Without labels for a metric that has none. null, undefined: there is no value now, and no line.
 * @throws HoldfastError `ERR_INVALID_ARGUMENT` when a label is missing or unknown.
 */
export type Report<Names extends string> = (
  value: number | null | undefined,
  ...labels: [Names] extends [never] ? [] : [labels: Readonly<Record<Names, string | number | boolean>>]
) => void

/** Called at every scrape and snapshot; reports the values that its owner keeps anyway. */
export type Collect<Names extends string = never> = (report: Report<Names>) => void

/** One series as an observer reported it. */
export interface ObservedSeries {
  readonly text: string
  readonly labels: Readonly<Record<string, string>>
  value: number
}

const collectorsBetweenPauses = 20

/** A metric whose values are asked for when somebody looks. */
export class ObservedFamily {
  readonly declaration: Declaration
  private readonly collectors = new Set<Collect<string>>()
  private readonly onOverflow: () => void
  private readonly onFailure: () => void

  constructor(declaration: Declaration, onOverflow: () => void, onFailure: () => void) {
    this.declaration = declaration
    this.onOverflow = onOverflow
    this.onFailure = onFailure
  }

  get kind(): MetricKind {
    return this.declaration.kind
  }

  /** Returns the function that ends it; the owner's end does, too. */
  add(collect: Collect<string>, owner: Scope | undefined): () => void {
    if (owner?.disposed) return () => undefined
    const collector: Collect<string> = (report) => collect(report)
    this.collectors.add(collector)
    const end = (): void => {
      this.collectors.delete(collector)
      forget?.()
    }
    const forget = owner?.onEnd(end)
    return end
  }

  /** Asks the collectors, with pauses between them. Two that report the same labels share a series: counters are added up, of gauges the later counts. */
  *collect(): Generator<undefined, Iterable<ObservedSeries>> {
    const found = new Map<string, ObservedSeries>()
    let asked = 0
    for (const collector of this.collectors) {
      if (++asked % collectorsBetweenPauses === 0) yield
      try {
        collector((value, labels) => this.take(found, value, labels ?? {}))
      } catch {
        this.onFailure()
      }
    }
    return found.values()
  }

  private take(found: Map<string, ObservedSeries>, value: number | null | undefined, labels: Readonly<Record<string, unknown>>): void {
    if (typeof value !== 'number') return
    const { name, labelNames, maxSeries } = this.declaration
    const text = labelText(name, labelNames, labels)
    const series = found.get(text)
    if (series !== undefined) this.combine(series, value)
    else if (found.size < maxSeries) found.set(text, { text, labels: plainLabels(labelNames, labels), value })
    else this.takeOverflow(found, value)
  }

  private takeOverflow(found: Map<string, ObservedSeries>, value: number): void {
    this.onOverflow()
    const labels = overflowLabels(this.declaration.labelNames)
    const text = labelText(this.declaration.name, this.declaration.labelNames, labels)
    const series = found.get(text)
    if (series === undefined) found.set(text, { text, labels, value })
    else this.combine(series, value)
  }

  private combine(series: ObservedSeries, value: number): void {
    series.value = this.kind === 'counter' ? series.value + value : value
  }
}
