import * as z from 'zod'
import { text } from './scalars.ts'
import { circuitBreakerSchema, type CircuitBreakerSettings } from './schema-circuit-breaker.ts'
import { fallbackSchema, type FallbackSource } from './schema-fallback.ts'
import { bulkheadSchema, rateLimiterSchema, timeoutSchema, type BulkheadSettings, type RateLimiterSettings } from './schema-gates.ts'
import { healthCheckSchema, type HealthCheckSettings } from './schema-health.ts'
import {
  adaptiveConcurrencySchema,
  hedgeSchema,
  loadShedderSchema,
  throttlerSchema,
  type AdaptiveConcurrencySettings,
  type HedgeSettings,
  type LoadShedderSettings,
  type ThrottlerSettings,
} from './schema-load.ts'
import { retrySchema, type RetrySettings } from './schema-retry.ts'
import { serverSchema, type ServerSource } from './schema-server.ts'
import { upstreamSchema, type UpstreamSource } from './schema-upstream.ts'
import { section } from './section.ts'

type Definitions<T> = Readonly<Record<string, Omit<T, 'name'>>>

/** A whole configuration as written, defaults filled in, but with references still being names. */
export interface ConfigSource {
  readonly include?: string | readonly string[]
  readonly server: ServerSource
  readonly circuitBreakers: Definitions<CircuitBreakerSettings>
  readonly retryPolicies: Definitions<RetrySettings>
  readonly timeouts: Readonly<Record<string, number>>
  readonly bulkheads: Definitions<BulkheadSettings>
  readonly rateLimiters: Definitions<RateLimiterSettings>
  readonly loadShedders: Definitions<LoadShedderSettings>
  readonly hedges: Definitions<HedgeSettings>
  readonly throttlers: Definitions<ThrottlerSettings>
  readonly adaptiveLimits: Definitions<AdaptiveConcurrencySettings>
  readonly fallbacks: Readonly<Record<string, FallbackSource>>
  readonly healthChecks: Definitions<HealthCheckSettings>
  readonly upstreams: Readonly<Record<string, UpstreamSource>>
}

const definitionName = text(
  'made of a letter, then up to 99 letters, digits, blanks or any of . _ - : /',
  /^[A-Za-z][A-Za-z0-9 ._:/-]{0,99}$/,
)
const upstreamName = text('made of a letter, then up to 62 letters, digits or any of . _ -', /^[A-Za-z][A-Za-z0-9._-]{0,62}$/)
const includedPath = text('a path relative to this file', /./)

function definitions<T>(what: string, settings: z.ZodType<T>): z.ZodType<Readonly<Record<string, T>>> {
  return z.record(definitionName, settings, { error: `must be a map of names and ${what}` })
}

export const configSchema: z.ZodType<ConfigSource> = section(
  {
    include: z
      .union([includedPath, z.array(includedPath)], { error: 'must be a list of paths' })
      .exactOptional()
      .describe(
        "Further files of this configuration: paths relative to this file, within its directory. '*' and '?' stand for parts of a name.",
      ),
    server: serverSchema.prefault({}).describe('The server itself.'),
    circuitBreakers: definitions('circuit breakers', circuitBreakerSchema)
      .prefault({})
      .describe('Circuit breakers. Upstreams that name the same one share it.'),
    retryPolicies: definitions('retry policies', retrySchema)
      .prefault({})
      .describe('Retry policies. Upstreams that name the same one share its budget.'),
    timeouts: definitions('durations', timeoutSchema).prefault({}).describe('Timeouts.'),
    bulkheads: definitions('bulkheads', bulkheadSchema)
      .prefault({})
      .describe('Bulkheads. Upstreams that name the same one share its places.'),
    rateLimiters: definitions('rate limiters', rateLimiterSchema)
      .prefault({})
      .describe('Rate limiters. Upstreams that name the same one share its limit.'),
    loadShedders: definitions('load shedders', loadShedderSchema)
      .prefault({})
      .describe('Load shedders. Upstreams that name the same one share its load.'),
    hedges: definitions('hedges', hedgeSchema).prefault({}).describe('Hedges. Upstreams that name the same one share its budget.'),
    throttlers: definitions('throttlers', throttlerSchema)
      .prefault({})
      .describe('Throttlers. Upstreams that name the same one share its places.'),
    adaptiveLimits: definitions('adaptive limits', adaptiveConcurrencySchema)
      .prefault({})
      .describe('Adaptive limits of concurrent requests. Upstreams that name the same one share its places.'),
    fallbacks: definitions('fallbacks', fallbackSchema).prefault({}).describe('Answers that are given instead of none.'),
    healthChecks: definitions('health checks', healthCheckSchema).prefault({}).describe('Health checks.'),
    upstreams: z
      .record(upstreamName, upstreamSchema, { error: 'must be a map of names and upstreams' })
      .prefault({})
      .describe('What the gateway forwards to, by the first part of the request path.'),
  },
  {
    aliases: {
      includes: 'include',
      breakers: 'circuitBreakers',
      retries: 'retryPolicies',
      limiters: 'rateLimiters',
      services: 'upstreams',
    },
  },
)
