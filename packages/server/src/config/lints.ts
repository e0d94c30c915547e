import type { ReliabilityConfig, UpstreamPipeline, UpstreamSettings } from './config.ts'
import { formatDuration } from './duration-text.ts'
import { isLoopback } from './http-syntax.ts'
import type { Report } from './report.ts'
import type { PipelineStep } from './schema-pipeline.ts'
import type { RetrySettings } from './schema-retry.ts'

/** Warns of settings that are allowed, but do not work well together. */
export function lint(config: ReliabilityConfig, report: Report): void {
  const upstreams = Object.values(config.upstreams)
  if (upstreams.length === 0) report('warning', ['upstreams'], 'there is no upstream, so the gateway has nothing to forward to')
  for (const upstream of upstreams) {
    const path = ['upstreams', upstream.name]
    const warn = (below: readonly string[], message: string): void => report('warning', [...path, ...below], message)
    lintTimeouts(upstream, config.server.gateway.requestTimeout, warn)
    lintOrder(upstream.pipeline, warn)
    lintStatuses(upstream, warn)
    lintCapacity(upstream, warn)
    lintTransport(upstream, warn)
  }
  lintSharedBreakers(upstreams, report)
}

type Warn = (below: readonly string[], message: string) => void

function lintTimeouts({ pipeline }: UpstreamSettings, requestTimeout: number | undefined, warn: Warn): void {
  const { retry, attemptTimeout, totalTimeout, bulkhead } = pipeline
  if (attemptTimeout === undefined && totalTimeout === undefined) {
    warn(['pipeline'], "has neither 'totalTimeout' nor 'attemptTimeout': a request may hang for ever")
    return
  }
  if (retry !== undefined && attemptTimeout === undefined) {
    warn(['pipeline', 'retry'], "has no 'attemptTimeout' beside it: one attempt that hangs uses up the time of all")
  }
  if (totalTimeout === undefined) return
  const total = totalTimeout.after
  if (attemptTimeout !== undefined && retry !== undefined) {
    const needed = attemptTimeout.after * retry.maxAttempts + shortestDelays(retry)
    if (needed > total) {
      const sum = `${retry.maxAttempts} attempts of ${formatDuration(attemptTimeout.after)} and their delays need ${formatDuration(needed)}`
      warn(['pipeline', 'totalTimeout'], `is too short for all attempts to time out: ${sum}`)
    }
  } else if (attemptTimeout !== undefined && attemptTimeout.after > total) {
    warn(['pipeline', 'attemptTimeout'], `is longer than totalTimeout (${formatDuration(total)}), so it never ends an attempt`)
  }
  if (requestTimeout !== undefined && requestTimeout < total) {
    warn(
      ['pipeline', 'totalTimeout'],
      `is longer than server.gateway.requestTimeout (${formatDuration(requestTimeout)}), which ends requests first`,
    )
  }
  if (bulkhead?.maxWait !== undefined && bulkhead.maxWait > total) {
    warn(['pipeline', 'bulkhead', 'maxWait'], `is longer than totalTimeout (${formatDuration(total)}), so it never ends a wait`)
  }
}

/** The delays between all attempts with the shortest jitter (0 where jitter may be total). */
function shortestDelays({
  backoff,
  jitter,
  jitterRatio = 0,
  initialDelay,
  maxDelay,
  factor = 1,
  increment = initialDelay,
  maxAttempts,
}: RetrySettings): number {
  const shortest = jitter === 'none' ? 1 : jitter === 'equal' ? 0.5 : jitter === 'proportional' ? 1 - jitterRatio : 0
  let sum = 0
  for (let retry = 0; retry < maxAttempts - 1; retry++) {
    const grown =
      backoff === 'exponential' ? initialDelay * factor ** retry : backoff === 'linear' ? initialDelay + increment * retry : initialDelay
    sum += Math.min(grown, maxDelay) * shortest
  }
  return Math.round(sum)
}

const outsideOf: readonly (readonly [outer: PipelineStep, inner: PipelineStep, otherwise: string])[] = [
  ['totalTimeout', 'retry', 'totalTimeout stands inside retry, so it limits each attempt instead of all of them'],
  ['retry', 'attemptTimeout', 'attemptTimeout stands outside retry, so it limits all attempts together'],
  ['fallback', 'retry', 'fallback stands inside retry, so failed attempts are answered instead of repeated'],
  [
    'fallback',
    'circuitBreaker',
    'fallback stands inside circuitBreaker, so it answers nothing while the circuit is open, and its answers count as successes',
  ],
  ['circuitBreaker', 'attemptTimeout', 'attemptTimeout stands outside circuitBreaker, so its timeouts do not count as failures'],
]

function lintOrder({ order }: UpstreamPipeline, warn: Warn): void {
  for (const [outer, inner, otherwise] of outsideOf) {
    const place = order.indexOf(outer)
    if (place >= 0 && order.includes(inner) && place > order.indexOf(inner)) warn(['pipeline', 'order'], otherwise)
  }
}

/** Answers that say that the request itself is wrong: it will be wrong again. */
const requestsOwnFault = new Set<unknown>(['4xx', 400, 401, 403, 404, 405, 410, 411, 413, 414, 415, 422])

function lintStatuses({ failureStatuses, retryStatuses, pipeline }: UpstreamSettings, warn: Warn): void {
  const failure = failureStatuses.find((status) => requestsOwnFault.has(status))
  if (failure !== undefined && pipeline.circuitBreaker !== undefined) {
    warn(['failureStatuses'], `holds ${failure}, the fault of the request: one client's mistakes open the circuit for all`)
  }
  const repeated = retryStatuses.find((status) => requestsOwnFault.has(status))
  if (repeated !== undefined && pipeline.retry !== undefined)
    warn(['retryStatuses'], `holds ${repeated}, the fault of the request: repeating it brings the same answer`)
}

function lintCapacity({ connections, health, pipeline: { bulkhead, totalTimeout } }: UpstreamSettings, warn: Warn): void {
  if (bulkhead !== undefined && bulkhead.maxConcurrent > connections) {
    warn(
      ['connections'],
      `is less than the bulkhead's maxConcurrent (${bulkhead.maxConcurrent}): requests queue for a connection after they got a place`,
    )
  }
  if (bulkhead !== undefined && bulkhead.maxQueued > 0 && bulkhead.maxWait === undefined && totalTimeout === undefined) {
    warn(['pipeline', 'bulkhead'], "has a queue but neither 'maxWait' nor a 'totalTimeout' around it: requests may wait for ever")
  }
  if (health !== undefined && health.timeout > health.interval) {
    warn(['health', 'timeout'], `is longer than interval (${formatDuration(health.interval)}), so checks overlap`)
  }
}

function lintTransport({ url, headers, http2, tls }: UpstreamSettings, warn: Warn): void {
  const { protocol, hostname } = new URL(url)
  if (protocol === 'http:' && http2) warn(['http2'], 'is never used: the url is http, and HTTP/2 is agreed on by TLS')
  if (protocol === 'http:' && tls !== undefined) warn(['tls'], 'is never used: the url is http')
  if (protocol === 'http:' && !isLoopback(hostname) && Object.hasOwn(headers, 'authorization')) {
    warn(['url'], 'is http: the authorization header travels unencrypted')
  }
}

function lintSharedBreakers(upstreams: readonly UpstreamSettings[], report: Report): void {
  const firstUser = new Map<unknown, UpstreamSettings>()
  for (const upstream of upstreams) {
    const { circuitBreaker } = upstream.pipeline
    if (circuitBreaker === undefined) continue
    const first = firstUser.get(circuitBreaker)
    if (first === undefined) firstUser.set(circuitBreaker, upstream)
    else if (new URL(first.url).origin !== new URL(upstream.url).origin) {
      const message = `shares circuit breaker '${circuitBreaker.name}' with upstream '${first.name}' at another address: when one fails, both are cut off`
      report('warning', ['upstreams', upstream.name, 'pipeline', 'circuitBreaker'], message)
    }
  }
}
