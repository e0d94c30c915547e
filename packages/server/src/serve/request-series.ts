import type { Counter, CounterHandle, Histogram, HistogramHandle, MetricScope } from 'holdfast'
import type { RequestRecord } from '../gateway/index.ts'

/** What is counted of every request. */
export interface RequestFamilies {
  readonly requests: Counter<'upstream' | 'code' | 'cause'>
  readonly durations: Histogram<'upstream'>
  readonly attempts: Counter<'upstream'>
}

/** The series of one upstream, each looked up when first needed; the rare ones of own answers are looked up every time. */
export class RequestSeries {
  private readonly upstream: string
  private readonly families: RequestFamilies
  private readonly scope: MetricScope | undefined
  private readonly duration: HistogramHandle
  private readonly byClass: (CounterHandle | undefined)[] = []
  private attempts: CounterHandle | undefined = undefined

  /** `scope` ends the series. */
  constructor(upstream: string, families: RequestFamilies, scope?: MetricScope) {
    this.upstream = upstream
    this.families = families
    this.scope = scope
    this.duration = families.durations.labels({ upstream }, scope)
  }

  count({ status, cause, attempts, durationMs }: RequestRecord): void {
    this.requests(Math.floor(status / 100), cause).inc()
    this.duration.observe(durationMs / 1_000)
    if (attempts > 0) (this.attempts ??= this.families.attempts.labels({ upstream: this.upstream }, this.scope)).add(attempts)
  }

  private requests(statusClass: number, cause: string | undefined): CounterHandle {
    const { upstream } = this
    if (cause !== undefined) return this.families.requests.labels({ upstream, code: `${statusClass}xx`, cause }, this.scope)
    return (this.byClass[statusClass] ??= this.families.requests.labels({ upstream, code: `${statusClass}xx`, cause: 'none' }, this.scope))
  }
}
