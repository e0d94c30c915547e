import type { RateLimiterSettings, BulkheadSettings, TimeoutSettings } from './schema-gates.ts'
import type { CircuitBreakerSettings } from './schema-circuit-breaker.ts'
import type { FallbackSettings } from './schema-fallback.ts'
import type { HealthCheckSettings } from './schema-health.ts'
import type { AdaptiveConcurrencySettings, HedgeSettings, LoadShedderSettings, ThrottlerSettings } from './schema-load.ts'
import type { PipelineStep } from './schema-pipeline.ts'
import type { RetrySettings } from './schema-retry.ts'
import type {
  AccessLogSource,
  AuditSettings,
  ControlSettings,
  GatewaySettings,
  HistorySettings,
  LogLevel,
  ReloadSettings,
  TokenRole,
  TracingSettings,
} from './schema-server.ts'
import type { UpstreamSource } from './schema-upstream.ts'

/** Settings by name. Has no prototype: a name that nobody defined is undefined, also `toString`. */
export type ByName<T> = Readonly<Record<string, T>>

/**
 * A configuration, complete: references replaced by what they refer to, defaults filled in, durations in ms, sizes in bytes, shares in
 * 0..1. Plain data, deeply frozen. The settings of policies are the options of the library's functions under the same names.
 */
export interface ReliabilityConfig {
  readonly server: ServerSettings
  readonly circuitBreakers: ByName<CircuitBreakerSettings>
  readonly retryPolicies: ByName<RetrySettings>
  readonly timeouts: ByName<TimeoutSettings>
  readonly bulkheads: ByName<BulkheadSettings>
  readonly rateLimiters: ByName<RateLimiterSettings>
  readonly loadShedders: ByName<LoadShedderSettings>
  readonly hedges: ByName<HedgeSettings>
  readonly throttlers: ByName<ThrottlerSettings>
  readonly adaptiveLimits: ByName<AdaptiveConcurrencySettings>
  readonly fallbacks: ByName<FallbackSettings>
  readonly healthChecks: ByName<HealthCheckSettings>
  readonly upstreams: ByName<UpstreamSettings>
}

export interface ServerSettings {
  readonly gateway: GatewaySettings
  readonly control: ControlSettings
  /** Empty: nothing can be changed through the control API. */
  readonly tokens: readonly TokenSettings[]
  /** Absolute path. */
  readonly dataDir: string
  readonly log: { readonly level: LogLevel }
  readonly reload: ReloadSettings
  readonly audit: AuditSettings
  readonly history: HistorySettings
  /** Its path is absolute, or `stdout` or `stderr`. */
  readonly accessLog?: AccessLogSource
  readonly tracing?: TracingSettings
}

/** A token, of which only the hash is kept. */
export interface TokenSettings {
  readonly name: string
  readonly role: TokenRole
  /** SHA-256 of the token (UTF-8), 64 hex digits. */
  readonly sha256: string
}

/** Certificates of a TLS connection to an upstream, as PEM texts. */
export interface UpstreamTlsSettings {
  readonly ca?: string
  readonly cert?: string
  readonly privateKey?: string
  readonly serverName?: string
}

export interface UpstreamSettings extends Omit<UpstreamSource, 'pipeline' | 'health' | 'tls'> {
  readonly name: string
  readonly tls?: UpstreamTlsSettings
  readonly pipeline: UpstreamPipeline
  readonly health?: HealthCheckSettings
}

/**
 * The policies around an upstream's requests. A step that refers to a definition is the very object of its section: upstreams with
 * the same object share one policy. A step with settings of its own is named after the upstream.
 */
export interface UpstreamPipeline {
  /** The steps there are, outermost first. */
  readonly order: readonly PipelineStep[]
  readonly fallback?: FallbackSettings
  readonly totalTimeout?: TimeoutSettings
  readonly retry?: RetrySettings
  readonly circuitBreaker?: CircuitBreakerSettings
  readonly rateLimiter?: RateLimiterSettings
  readonly bulkhead?: BulkheadSettings
  readonly attemptTimeout?: TimeoutSettings
  readonly loadShedder?: LoadShedderSettings
  readonly hedge?: HedgeSettings
  readonly throttler?: ThrottlerSettings
  readonly adaptiveConcurrency?: AdaptiveConcurrencySettings
}
