import {
  metricsContentTypes,
  metricsRegistry,
  negotiateMetricsFormat,
  type Counter,
  type Histogram,
  type MetricScope,
  type MetricsRegistry,
} from 'holdfast'
import { exposeMetrics, type FaultTolerantSystem, type Observe } from 'holdfast/system'
import type { RequestRecord } from '../gateway/index.ts'
import { RequestSeries } from './request-series.ts'
import type { Observers } from './upstream-pipeline.ts'

const outcomes = ['success', 'failure', 'refused', 'cancelled'] as const

/** What is measured of one upstream. */
interface UpstreamSeries {
  readonly scope: MetricScope
  readonly observers: Pick<Observers, 'pipeline' | 'attempt'>
  readonly requests: RequestSeries
}

/** All that `/metrics` shows: the policies, the gateway, the process. */
export class ServerMetrics {
  readonly registry: MetricsRegistry = metricsRegistry()
  readonly requests: Counter<'upstream' | 'code' | 'cause'>
  readonly durations: Histogram<'upstream'>
  readonly attempts: Counter<'upstream'>
  private readonly ofUpstream = new Map<string, UpstreamSeries>()
  /** Of requests that no upstream could be found for. */
  private unrouted: RequestSeries | undefined = undefined
  private readonly refused: Counter<'cause'>
  private readonly pipelines: Histogram<'name' | 'outcome'>
  private readonly attemptDurations: Histogram<'name' | 'outcome'>

  constructor(system: FaultTolerantSystem) {
    const { registry } = this
    exposeMetrics(system, registry)
    this.requests = registry.counter({
      name: 'holdfast_gateway_requests_total',
      help: 'Requests by upstream, class of status, and cause when the gateway answered by itself.',
      labelNames: ['upstream', 'code', 'cause'],
    })
    this.durations = registry.histogram({
      name: 'holdfast_gateway_request_duration_seconds',
      help: 'Time from the head of a request to the end of its answer.',
      labelNames: ['upstream'],
    })
    this.attempts = registry.counter({
      name: 'holdfast_gateway_upstream_requests_total',
      help: 'Requests sent to upstreams: every attempt counts.',
      labelNames: ['upstream'],
    })
    this.refused = registry.counter({
      name: 'holdfast_gateway_turned_away_total',
      help: 'Connections and malformed requests that were answered before they became requests.',
      labelNames: ['cause'],
    })
    this.pipelines = registry.histogram({
      name: 'resilience_pipeline_duration_seconds',
      help: 'Time in a pipeline, all attempts and waits included; a streamed answer counts to its end.',
      labelNames: ['name', 'outcome'],
    })
    this.attemptDurations = registry.histogram({
      name: 'resilience_attempt_duration_seconds',
      help: 'Time of one attempt; a streamed answer counts to its end.',
      labelNames: ['name', 'outcome'],
    })
    this.observeProcess()
  }

  /** Measures an upstream's pipeline and its attempts, on handles that are looked up once. The same ones for the same name. */
  observers(name: string): Pick<Observers, 'pipeline' | 'attempt'> {
    return this.seriesOf(name).observers
  }

  /** A request of an upstream that has been forgotten is not counted: its series are gone. */
  request(record: RequestRecord): void {
    const { upstream } = record
    const series = upstream === undefined ? (this.unrouted ??= new RequestSeries('none', this)) : this.ofUpstream.get(upstream)?.requests
    series?.count(record)
  }

  /** Takes the series of an upstream out. */
  forget(name: string): void {
    this.ofUpstream.get(name)?.scope.dispose()
    this.ofUpstream.delete(name)
  }

  private seriesOf(name: string): UpstreamSeries {
    const known = this.ofUpstream.get(name)
    if (known !== undefined) return known
    const scope = this.registry.scope()
    const observers = { pipeline: observer(this.pipelines, name, scope), attempt: observer(this.attemptDurations, name, scope) }
    const made = { scope, observers, requests: new RequestSeries(name, this, scope) }
    this.ofUpstream.set(name, made)
    return made
  }

  inFlight(read: () => number): void {
    this.registry.observeGauge({ name: 'holdfast_gateway_requests_in_flight', help: 'Requests under way.' }, (report) => report(read()))
  }

  async render(accept: string | undefined): Promise<{ readonly contentType: string; readonly body: string }> {
    const format = negotiateMetricsFormat(accept)
    return { contentType: metricsContentTypes[format], body: await this.registry.renderAsync(format) }
  }

  /** Requests sent to upstreams whose answers have not ended. */
  openRequests(read: () => ReadonlyMap<string, number>): void {
    this.registry.observeGauge(
      {
        name: 'holdfast_gateway_upstream_requests_open',
        help: 'Requests sent to upstreams whose answers have not ended, tunnels among them.',
        labelNames: ['upstream'],
      },
      (report) => {
        for (const [upstream, open] of read()) report(open, { upstream })
      },
    )
  }

  /** Connections and bytes that became no request. */
  turnedAway(cause: string): void {
    this.refused.labels({ cause }).inc()
  }

  private observeProcess(): void {
    const { registry } = this
    const startedAt = Date.now() / 1_000 - process.uptime()
    registry.observeGauge({ name: 'process_start_time_seconds', help: 'When the process started, in seconds since the epoch.' }, (report) =>
      report(startedAt),
    )
    registry.observeGauge({ name: 'process_resident_memory_bytes', help: 'Resident memory.' }, (report) =>
      report(process.memoryUsage.rss()),
    )
    registry.observeGauge({ name: 'nodejs_heap_size_used_bytes', help: 'JavaScript heap in use.' }, (report) =>
      report(process.memoryUsage().heapUsed),
    )
    registry.observeCounter({ name: 'process_cpu_seconds_total', help: 'User and system CPU time.' }, (report) => {
      const { user, system } = process.cpuUsage()
      report((user + system) / 1e6)
    })
  }
}

function observer(histogram: Histogram<'name' | 'outcome'>, name: string, scope: MetricScope): Observe {
  const handles = Object.fromEntries(outcomes.map((outcome) => [outcome, histogram.labels({ name, outcome }, scope)])) as Record<
    (typeof outcomes)[number],
    ReturnType<typeof histogram.labels>
  >
  return (outcome, durationMs) => handles[outcome].observe(durationMs / 1_000)
}
