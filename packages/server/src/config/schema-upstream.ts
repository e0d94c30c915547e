import * as z from 'zod'
import { connectionHeaders, headerName, type StatusPattern } from './http-syntax.ts'
import { didYouMean } from './did-you-mean.ts'
import { boolean, choice, duration, integer, parsedScalar, text } from './scalars.ts'
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

/** How an upstream is told who asks. */
export type ForwardedStyle = 'x-forwarded' | 'rfc7239' | 'both' | 'none'

/** How much the requests of an upstream matter. */
export type PrioritySetting = 'low' | 'normal' | 'high' | 'critical' | `header:${string}`

/** Files of certificates, as written. */
export interface TlsSource {
  readonly caFile?: string
  readonly certFile?: string
  readonly keyFile?: string
  readonly serverName?: string
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
  readonly connectTimeout: number
  readonly http2: boolean
  readonly tls?: TlsSource
  readonly upgrades: readonly string[]
  readonly tunnelIdleTimeout: number
  readonly forwarded: ForwardedStyle
  readonly deadlineHeader?: string
  readonly priority: PrioritySetting
  readonly health?: string | Omit<HealthCheckSettings, 'name'>
}

const priorityPattern = /^(low|normal|high|critical)$|^header:[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

const prioritySetting = parsedScalar<PrioritySetting>({
  expected: "'low', 'normal', 'high', 'critical' or 'header:' with a header's name",
  parse: (value) => (typeof value === 'string' && priorityPattern.test(value) ? (value.toLowerCase() as PrioritySetting) : undefined),
  suggest: (value) => {
    if (typeof value !== 'string') return undefined
    const header = /^header[:\s]*([\w-]+)$/i.exec(value)?.[1]
    return header === undefined ? didYouMean(value, ['low', 'normal', 'high', 'critical']) : `header:${header}`
  },
  json: { type: 'string', pattern: priorityPattern.source },
})

const not429 = [{ status: 429, why: "429 is no failure: it pauses the upstream's callers (see quota)" }]

const quota = section({
  scope: choice(['upstream', 'none'])
    .prefault('upstream')
    .describe(
      'upstream: a 429 pauses all callers of the upstream for as long as its Retry-After says. none: it concerns only the one request.',
    ),
  maxPause: duration({ min: '1ms' }).prefault('60s').describe('Longest pause, whatever Retry-After says.'),
})

function pemFile(): z.ZodString {
  return z.string({ error: 'must be a text' }).min(1, { error: 'must name a file' })
}

const tls = section(
  {
    caFile: pemFile()
      .exactOptional()
      .describe('File with the certificates (PEM) of the authorities to believe, in place of the public ones.'),
    certFile: pemFile().exactOptional().describe('File with the certificate (PEM) that the gateway shows.'),
    keyFile: pemFile().exactOptional().describe('File with the private key (PEM) of certFile.'),
    serverName: text('a host name such as api.internal', /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/)
      .exactOptional()
      .describe("Name that the upstream's certificate must bear. That of url when left out."),
  },
  { aliases: { ca: 'caFile', cert: 'certFile', key: 'keyFile', servername: 'serverName' } },
).check(({ value, issues }) => {
  if ((value.certFile === undefined) !== (value.keyFile === undefined))
    issues.push({ code: 'custom', message: "must have both of 'certFile' and 'keyFile', or none", input: value, path: [] })
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
    connectTimeout: duration({ min: '1ms', max: '10m' }).prefault('10s').describe('Time in which a connection to the upstream must stand.'),
    http2: boolean()
      .prefault(false)
      .describe('Offers HTTP/2 to an https upstream, which may choose HTTP/1.1. One request at a time on each connection.'),
    tls: tls.exactOptional().describe('Certificates for an https upstream.'),
    upgrades: z
      .array(text('a protocol such as websocket; HTTP/2 is set by http2', /^(?!h2c?$|http\b|tls\b)[A-Za-z0-9][A-Za-z0-9._+/-]{0,63}$/i), {
        error: 'must be a list of protocols',
      })
      .prefault(['websocket'])
      .describe('Protocols a client may change to (Upgrade). Others are passed over, as if the client had not asked.'),
    tunnelIdleTimeout: duration({ min: '1ms' })
      .prefault('5m')
      .describe('Longest silence in both directions of a connection that has changed its protocol.'),
    forwarded: choice(['x-forwarded', 'rfc7239', 'both', 'none'])
      .prefault('x-forwarded')
      .describe('How the upstream is told of the client: X-Forwarded-For, -Proto and -Host, Forwarded (RFC 7239), both, or nothing.'),
    deadlineHeader: text('the name of a header that belongs to no connection, such as x-request-timeout-ms', headerName)
      .refine((name) => !connectionHeaders.has(name.toLowerCase()), { error: 'must not be a header that belongs to the connection' })
      .exactOptional()
      .describe('Header in which every attempt tells the upstream how many milliseconds are left (grpc-timeout: in its own form).'),
    priority: prioritySetting
      .prefault('normal')
      .describe(
        "How much requests matter to queues and load shedding: 'low', 'normal', 'high', 'critical', or 'header:<name>', whose value says so (a name, or an RFC 9218 urgency such as u=1). Only for clients that can be trusted.",
      ),
    health: nameOr('health check', healthCheckSchema)
      .exactOptional()
      .describe('A name from healthChecks, or its settings. Not checked when left out.'),
  },
  {
    aliases: {
      baseUrl: 'url',
      target: 'url',
      maxConnections: 'connections',
      healthCheck: 'health',
      retryOn: 'retryStatuses',
      allowH2: 'http2',
      h2: 'http2',
      upgrade: 'upgrades',
    },
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
