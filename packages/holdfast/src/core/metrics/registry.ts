import { systemClock, type Clock } from '../clock.ts'
import { booleanOption, checkOptionNames, integerOption, invalidOption } from '../options.ts'
import {
  checkSame,
  declarationOf,
  declaredOtherwise,
  namesUsedBy,
  type Declaration,
  type MetricKind,
  type MetricOptions,
} from './declaration.ts'
import { Exemplars } from './exemplars.ts'
import { Family, type Metric } from './family.ts'
import { CounterSeries, GaugeSeries, HistogramSeries, type CounterHandle, type GaugeHandle, type HistogramHandle } from './handles.ts'
import { layoutFor } from './log-histogram.ts'
import { ObservedFamily, type Collect } from './observed.ts'
import { pagePieces } from './page.ts'
import { Scope, scopeOption, type MetricScope } from './scope.ts'
import { SlotPool } from './slots.ts'
import type { MetricSnapshot } from './snapshot.ts'
import { HistogramSource, ObservedSource, ScalarSource, type Source } from './source.ts'
import type { MetricsFormat } from './text-format.ts'

export interface MetricsRegistryOptions {
  /** Series kept for each metric that does not say otherwise, 1 to 1,000,000. @defaultValue 1000 */
  readonly maxSeries?: number
  /** Dates exemplars. */
  readonly clock?: Pick<Clock, 'wallNow'>
}

export type Counter<Names extends string = string> = Metric<CounterHandle, Names>
export type Gauge<Names extends string = string> = Metric<GaugeHandle, Names>
export type Histogram<Names extends string = string> = Metric<HistogramHandle, Names>

export interface HistogramOptions<Names extends string = never> extends MetricOptions<Names> {
  /** Upper bounds of the exported buckets, ascending, without Infinity; counted exactly. @defaultValue 1 ms to 2 min in seconds, 16 bounds */
  readonly buckets?: readonly number[]
  /** Smallest value that percentiles tell from smaller ones. @defaultValue 1e-6 */
  readonly min?: number
  /** Largest value that percentiles tell from larger ones. @defaultValue 1e4 */
  readonly max?: number
  /** Largest relative error of percentiles, 0.001 to 0.25. @defaultValue 0.031 */
  readonly relativeError?: number
  /** Keep the latest trace id of every bucket, and show it in OpenMetrics. @defaultValue false */
  readonly exemplars?: boolean
}

/**
 * Metrics in bounded memory, to be scraped by Prometheus and read by a dashboard. Declaring a metric again gives the same one.
 * All methods that declare throw a HoldfastError `ERR_INVALID_OPTION` for a bad declaration, and for a name that is taken by another.
 */
export interface MetricsRegistry {
  counter<const Names extends string = never>(options: MetricOptions<Names>): Counter<Names>
  gauge<const Names extends string = never>(options: MetricOptions<Names>): Gauge<Names>
  histogram<const Names extends string = never>(options: HistogramOptions<Names>): Histogram<Names>
  /** A counter whose values somebody keeps already: `collect` is asked at every scrape. Returns the function that ends it, as the scope does. */
  observeCounter<const Names extends string = never>(
    options: MetricOptions<Names>,
    collect: Collect<Names>,
    scope?: MetricScope,
  ): () => void
  /** As {@link MetricsRegistry.observeCounter}, for values that go up and down. */
  observeGauge<const Names extends string = never>(options: MetricOptions<Names>, collect: Collect<Names>, scope?: MetricScope): () => void
  /** A new owner of series. */
  scope(): MetricScope
  /** The metrics page. */
  render(format?: MetricsFormat): string
  /** The metrics page, made in pieces between which everything else can run. */
  renderAsync(format?: MetricsFormat): Promise<string>
  /** All metrics as plain data. */
  snapshot(): readonly MetricSnapshot[]
}

/**
 * A new, empty registry.
 * @throws HoldfastError `ERR_INVALID_OPTION`.
 * @example `const calls = metricsRegistry().counter({ name: 'calls_total', help: 'Calls made.' }).labels({}); calls.inc()`
 */
export function metricsRegistry(options: MetricsRegistryOptions = {}): MetricsRegistry {
  checkOptionNames('metricsRegistry', options, ['maxSeries', 'clock'])
  const maxSeries = integerOption('metricsRegistry', 'maxSeries', options.maxSeries ?? 1_000, { min: 1, max: 1_000_000 })
  return new Registry(maxSeries, options.clock ?? systemClock)
}

const defaultBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]

interface Registered {
  readonly source: Source
  /** What declaring it gives. */
  readonly metric: unknown
  /** What must be the same in a second declaration besides the declaration itself. */
  readonly details: string
}

class Registry implements MetricsRegistry {
  private readonly maxSeries: number
  private readonly clock: Pick<Clock, 'wallNow'>
  private readonly registered = new Map<string, Registered>()
  private readonly names = new Map<string, string>()
  private readonly slots = new SlotPool()
  private readonly overflows: Counter<'metric'>
  private readonly failures: Counter<'metric'>

  constructor(maxSeries: number, clock: Pick<Clock, 'wallNow'>) {
    this.maxSeries = maxSeries
    this.clock = clock
    this.overflows = this.counter({
      name: 'holdfast_metrics_overflow_total',
      help: 'Times a label set beyond the limit of its metric got the overflow series.',
      labelNames: ['metric'],
      maxSeries: 1_000_000,
    })
    this.failures = this.counter({
      name: 'holdfast_metrics_collect_failures_total',
      help: 'Times a function that reports values of a metric threw.',
      labelNames: ['metric'],
      maxSeries: 1_000_000,
    })
  }

  counter<const Names extends string = never>(options: MetricOptions<Names>): Counter<Names> {
    return this.scalar('counter', options, () => new CounterSeries(this.slots))
  }

  gauge<const Names extends string = never>(options: MetricOptions<Names>): Gauge<Names> {
    return this.scalar('gauge', options, () => new GaugeSeries(this.slots))
  }

  histogram<const Names extends string = never>(options: HistogramOptions<Names>): Histogram<Names> {
    const { buckets = defaultBuckets, exemplars = false, min, max, relativeError } = options
    const declaration = declarationOf('histogram', options, this.maxSeries, ['buckets', 'exemplars', 'min', 'max', 'relativeError'])
    booleanOption(declaration.name, 'exemplars', exemplars)
    if (!Array.isArray(buckets) || buckets.length === 0)
      throw invalidOption(declaration.name, 'buckets', buckets, 'a list of at least one bound')
    const sizes = {
      ...(min !== undefined && { min }),
      ...(max !== undefined && { max }),
      ...(relativeError !== undefined && { relativeError }),
    }
    const layout = layoutFor(declaration.name, { ...sizes, edges: buckets as readonly number[] }, 'buckets')
    return this.register(declaration, `histogram ${layout.key} exemplars ${exemplars}`, () => {
      const bounds = [...buckets]
      const wallNow = (): number => this.clock.wallNow()
      const make = (): HistogramSeries => new HistogramSeries(layout, exemplars ? new Exemplars(bounds, wallNow) : undefined)
      const metric = new Family(declaration, make, () => this.overflowed(declaration.name))
      return { metric, source: new HistogramSource(metric, layout, bounds) }
    })
  }

  observeCounter<const Names extends string = never>(
    options: MetricOptions<Names>,
    collect: Collect<Names>,
    scope?: MetricScope,
  ): () => void {
    return this.observe('counter', options, collect as Collect<string>, scope)
  }

  observeGauge<const Names extends string = never>(
    options: MetricOptions<Names>,
    collect: Collect<Names>,
    scope?: MetricScope,
  ): () => void {
    return this.observe('gauge', options, collect as Collect<string>, scope)
  }

  scope(): MetricScope {
    return new Scope()
  }

  render(format: MetricsFormat = 'prometheus'): string {
    let page = ''
    for (const piece of pagePieces(this.sources(), format)) page += piece
    return page
  }

  async renderAsync(format: MetricsFormat = 'prometheus'): Promise<string> {
    let page = ''
    for (const piece of pagePieces(this.sources(), format)) {
      page += piece
      await new Promise(setImmediate)
    }
    return page
  }

  snapshot(): readonly MetricSnapshot[] {
    return Array.from(this.registered.values(), ({ source }) => {
      const { name, help, kind, labelNames } = source.declaration
      return { name, help, kind, labelNames, series: source.snapshot() } as MetricSnapshot
    })
  }

  private scalar<Names extends string, Handle extends CounterSeries | GaugeSeries>(
    kind: MetricKind,
    options: MetricOptions<Names>,
    make: () => Handle,
  ): Metric<Handle, Names> {
    const declaration = declarationOf(kind, options, this.maxSeries)
    return this.register(declaration, 'written', () => {
      const metric = new Family(declaration, make, () => this.overflowed(declaration.name))
      return { metric, source: new ScalarSource(metric) }
    })
  }

  private observe(kind: MetricKind, options: MetricOptions<string>, collect: Collect<string>, scope: MetricScope | undefined): () => void {
    const declaration = declarationOf(kind, options, this.maxSeries)
    const { name } = declaration
    const owner = scopeOption(name, scope)
    if (typeof collect !== 'function') throw invalidOption(name, 'collect', collect, 'a function')
    const family = this.register(declaration, 'observed', () => {
      const metric = new ObservedFamily(
        declaration,
        () => this.overflowed(name),
        () => this.failures.labels({ metric: name }).inc(),
      )
      return { metric, source: new ObservedSource(metric) }
    })
    return family.add(collect, owner)
  }

  private register<M>(declaration: Declaration, details: string, make: () => { readonly metric: M; readonly source: Source }): M {
    const { name } = declaration
    const before = this.registered.get(name)
    if (before !== undefined) {
      checkSame(before.source.declaration, declaration)
      if (before.details !== details) throw declaredOtherwise(name, before.details, details)
      return before.metric as M
    }
    for (const used of namesUsedBy(declaration)) {
      const holder = this.names.get(used)
      if (holder !== undefined)
        throw invalidOption(name, 'name', name, `a name whose lines do not meet those of '${holder}' ('${used}' would)`)
    }
    const made = make()
    for (const used of namesUsedBy(declaration)) this.names.set(used, name)
    this.registered.set(name, { ...made, details })
    return made.metric
  }

  private overflowed(metric: string): void {
    this.overflows.labels({ metric }).inc()
  }

  private sources(): Iterable<Source> {
    return Array.from(this.registered.values(), ({ source }) => source)
  }
}
