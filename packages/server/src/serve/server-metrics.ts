import { metricsContentTypes, metricsRegistry, negotiateMetricsFormat, type Counter, type Histogram, type MetricsRegistry } from 'holdfast'
import { exposeMetrics, type FaultTolerantSystem, type Observe } from 'holdfast/system'
import type { RequestRecord } from '../gateway/index.ts'
import type { Observers } from './policies.ts'

const outcomes = ['success', 'failure', 'refused', 'cancelled'] as const

/** All that `/metrics` shows: the policies, the gateway, the process. */
export class ServerMetrics {
  readonly registry: MetricsRegistry = metricsRegistry()
  private readonly requests: Counter<'upstream' | 'code' | 'cause'>
  private readonly durations: Histogram<'upstream'>
  private readonly attempts: Counter<'upstream'>
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

  /** Measures an upstream's pipeline and its attempts, on handles that are looked up once. */
  observers(name: string): Observers {
    return { pipeline: observer(this.pipelines, name), attempt: observer(this.attemptDurations, name) }
  }

  request({ upstream = 'none', status, cause = 'none', attempts, durationMs }: RequestRecord): void {
    this.requests.labels({ upstream, code: `${Math.floor(status / 100)}xx`, cause }).inc()
    this.durations.labels({ upstream }).observe(durationMs / 1_000)
    if (attempts > 0) this.attempts.labels({ upstream }).add(attempts)
  }

  inFlight(read: () => number): void {
    this.registry.observeGauge({ name: 'holdfast_gateway_requests_in_flight', help: 'Requests under way.' }, (report) => report(read()))
  }

  async render(accept: string | undefined): Promise<{ readonly contentType: string; readonly body: string }> {
    const format = negotiateMetricsFormat(accept)
    return { contentType: metricsContentTypes[format], body: await this.registry.renderAsync(format) }
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
    registry.observeCounter({ name: 'process_cpu_seconds_total', help: 'User and system CPU time.' }, (report) => {
      const { user, system } = process.cpuUsage()
      report((user + system) / 1e6)
    })
  }
}

function observer(histogram: Histogram<'name' | 'outcome'>, name: string): Observe {
  const handles = Object.fromEntries(outcomes.map((outcome) => [outcome, histogram.labels({ name, outcome })])) as Record<
    (typeof outcomes)[number],
    ReturnType<typeof histogram.labels>
  >
  return (outcome, durationMs) => handles[outcome].observe(durationMs / 1_000)
}
