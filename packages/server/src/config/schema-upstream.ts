import * as z from 'zod'
import type { StatusPattern } from './http-syntax.ts'
import { choice, duration, integer } from './scalars.ts'
import { healthCheckSchema, type HealthCheckSettings } from './schema-health.ts'
import { baseUrl, headersSchema, statusPattern, type Headers } from './schema-http.ts'
import { nameOr, pipelineSchema, type PipelineSource } from './schema-pipeline.ts'
import { section } from './section.ts'

export const requestMethods = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'POST', 'PATCH'] as const

export type RequestMethod = (typeof requestMethods)[number]

/** What a 429 of the upstream does; durations in ms. */
export interface QuotaSettings {
  readonly scope: 'upstream' | 'none'
  readonly maxPause: number
}

/** What an upstream has besides its pipeline and health check, and both of them as written. */
export interface UpstreamSource {
  readonly url: string
  readonly headers: Headers
  readonly pipeline: PipelineSource
  readonly bodyIdleTimeout: number
  readonly quota: QuotaSettings
  readonly failureStatuses: readonly StatusPattern[]
  readonly retryStatuses: readonly StatusPattern[]
  readonly retryMethods: readonly RequestMethod[]
  readonly connections: number
  readonly health?: string | Omit<HealthCheckSettings, 'name'>
}

const not429 = [{ status: 429, why: "429 is no failure: it pauses the upstream's callers (see quota)" }]

const quota = section({
  scope: choice(['upstream', 'none'])
    .prefault('upstream')
    .describe(
      'upstream: a 429 pauses all callers of the upstream for as long as its Retry-After says. none: it concerns only the one request.',
    ),
  maxPause: duration({ min: '1ms' }).prefault('60s').describe('Longest pause, whatever Retry-After says.'),
})

const policyElsewhere = "policies stand under 'pipeline'"

export const upstreamSchema: z.ZodType<UpstreamSource> = section(
  {
    url: baseUrl().describe('Where requests go: the rest of the request path is added to it.'),
    headers: headersSchema()
      .prefault({})
      .describe('Headers set on every request to the upstream, in place of those of the client. Treated as secrets.'),
    pipeline: pipelineSchema.prefault({}).describe('The policies around every request.'),
    bodyIdleTimeout: duration({ min: '1ms' }).prefault('60s').describe('Longest silence between two pieces of an answer.'),
    quota: quota.prefault({}).describe('What a 429 of the upstream does.'),
    failureStatuses: z
      .array(statusPattern(not429), { error: 'must be a list of statuses' })
      .prefault(['5xx', 408])
      .describe('Statuses that count as failures for the circuit breaker. 429 never does.'),
    retryStatuses: z
      .array(statusPattern(), { error: 'must be a list of statuses' })
      .prefault([408, 425, 429, 500, 502, 503, 504, 529])
      .describe('Statuses after which a request may be repeated.'),
    retryMethods: z
      .array(choice(requestMethods), { error: 'must be a list of methods' })
      .prefault(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])
      .describe(
        'Methods of requests that may be repeated. Others are repeated only with an Idempotency-Key, or when they surely had no effect.',
      ),
    connections: integer({ min: 1, max: 100_000 }).prefault(64).describe('Connections to the upstream at the same time.'),
    health: nameOr('health check', healthCheckSchema)
      .exactOptional()
      .describe('A name from healthChecks, or its settings. Not checked when left out.'),
  },
  {
    aliases: { baseUrl: 'url', target: 'url', maxConnections: 'connections', healthCheck: 'health', retryOn: 'retryStatuses' },
    elsewhere: {
      timeout: "use 'totalTimeout' or 'attemptTimeout' under 'pipeline'",
      totalTimeout: policyElsewhere,
      attemptTimeout: policyElsewhere,
      circuitBreaker: policyElsewhere,
      retry: policyElsewhere,
      bulkhead: policyElsewhere,
      rateLimiter: policyElsewhere,
      fallback: policyElsewhere,
      name: "an upstream's name is its key",
    },
  },
).meta({ id: 'upstream' })
