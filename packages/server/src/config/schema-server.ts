import * as z from 'zod'
import { boolean, byteSize, choice, duration, integer, ratio, text } from './scalars.ts'
import { host, networks, port } from './schema-address.ts'
import { controlSchema, type ControlSettings } from './schema-control.ts'
import { baseUrl, headersSchema, type Headers } from './schema-http.ts'
import { listenerTlsSchema, type ListenerTlsSettings } from './schema-listener-tls.ts'
import { section } from './section.ts'

export interface GatewaySettings {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly maxBodyBytes: number
  readonly requestTimeout?: number
  readonly headersTimeout: number
  readonly bodyTimeout: number
  readonly clientIdleTimeout: number
  readonly maxConnections: number
  readonly maxConnectionsPerAddress: number
  /** Addresses and networks (CIDR) whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[]
  readonly shutdownGrace: number
  readonly tls?: ListenerTlsSettings
}

export type { ControlSettings } from './schema-control.ts'

export type TokenRole = 'operate' | 'read'

/** A token as written, its value in clear or hashed. */
export interface TokenSource {
  readonly name: string
  readonly role: TokenRole
  readonly value?: string
  readonly valueFile?: string
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** Where a line about each request goes. */
export interface AccessLogSource {
  /** A file, or `stdout` or `stderr`. */
  readonly path: string
  readonly format: 'json' | 'common'
}

/** Where traces go. */
export interface TracingSettings {
  /** OTLP over HTTP, such as `http://127.0.0.1:4318/v1/traces`. */
  readonly endpoint: string
  readonly sampleRatio: number
  readonly headers: Headers
  readonly serviceName: string
}

/** How long the audit log is kept. */
export interface AuditSettings {
  /** In ms; left out: for ever. */
  readonly maxAge?: number
}

/** What is remembered of what happened. */
export interface HistorySettings {
  /** In ms. */
  readonly maxAge: number
  /** Of its file, in bytes. */
  readonly maxSize: number
}

/** When the configuration is loaded anew by itself. */
export interface ReloadSettings {
  readonly watch: boolean
  /** In ms. */
  readonly debounce: number
}

export interface ServerSource {
  readonly gateway: GatewaySettings
  readonly control: ControlSettings
  readonly tokens: readonly TokenSource[]
  readonly dataDir: string
  readonly log: { readonly level: LogLevel }
  readonly reload: ReloadSettings
  readonly audit: AuditSettings
  readonly history: HistorySettings
  readonly accessLog?: AccessLogSource
  readonly tracing?: TracingSettings
}

const gateway = section(
  {
    host: host().prefault('127.0.0.1').describe('Address the gateway listens on.'),
    port: port().prefault(8080).describe('Port the gateway listens on; 0 takes any free one.'),
    maxBodyBytes: byteSize({ min: 1, max: 1024 ** 3 })
      .prefault('1MiB')
      .describe('Largest request body; more is answered with 413.'),
    requestTimeout: duration({ min: '1ms' })
      .exactOptional()
      .describe('Deadline of every request, unless the client gives an earlier one. None when left out.'),
    headersTimeout: duration({ min: '100ms', max: '5m' }).prefault('10s').describe('Time in which a client must have sent its headers.'),
    bodyTimeout: duration({ min: '100ms', max: '1h' }).prefault('60s').describe('Time in which a client must have sent its body.'),
    clientIdleTimeout: duration({ min: '100ms', max: '1h' })
      .prefault('60s')
      .describe('Longest time in which a client may take nothing of its answer.'),
    maxConnections: integer({ min: 1, max: 1_000_000 })
      .prefault(4096)
      .describe('Client connections at the same time; more are answered with 503.'),
    maxConnectionsPerAddress: integer({ min: 1, max: 1_000_000 })
      .prefault(512)
      .describe('Connections of one client address at the same time.'),
    trustedProxies: networks().prefault([]).describe('Addresses and networks whose X-Forwarded-For is believed.'),
    shutdownGrace: duration({ max: '1h' }).prefault('10s').describe('Time that requests in flight get to finish when the server stops.'),
    tls: listenerTlsSchema.exactOptional().describe('Certificate; with it the gateway speaks https. None when left out.'),
  },
  { aliases: { maxBodySize: 'maxBodyBytes', timeout: 'requestTimeout', bind: 'host', address: 'host' } },
)

const oneValue = "must have exactly one of 'value' and 'valueFile'"

const token = section({
  name: text('a name of up to 100 letters, digits, blanks or any of . _ @ -', /^[A-Za-z0-9][A-Za-z0-9 ._@-]{0,99}$/).describe(
    'Who uses it: appears in the audit record.',
  ),
  role: choice(['operate', 'read']).describe('operate may change things, read may only look.'),
  value: z
    .string({ error: 'must be a text' })
    .exactOptional()
    .describe("The token, best as '${VARIABLE}', or its hash as 'sha256:<64 hex digits>'. A blank one counts as not given."),
  valueFile: z
    .string({ error: 'must be a text' })
    .min(1, { error: 'must name a file' })
    .exactOptional()
    .describe('File that holds it, relative to the configuration file.'),
}).check(({ value, issues }) => {
  if ((value.value === undefined) === (value.valueFile === undefined))
    issues.push({ code: 'custom', message: oneValue, input: value, path: [] })
})

const log = section({
  level: choice(['debug', 'info', 'warn', 'error', 'silent']).prefault('info').describe('Least level that is logged.'),
})

const reload = section({
  watch: boolean().prefault(true).describe('Loads the configuration anew when one of its files changes.'),
  debounce: duration({ min: '10ms', max: '1m' })
    .prefault('300ms')
    .describe('Time without a further change after which the files are read.'),
})

const audit = section(
  {
    maxAge: duration({ min: '1d' })
      .exactOptional()
      .describe('Records that are older are taken out, and a record says so. Kept for ever when left out.'),
  },
  { aliases: { retention: 'maxAge', ttl: 'maxAge' } },
)

const history = section(
  {
    maxAge: duration({ min: '1h', max: '90d' }).prefault('7d').describe('Events, states and figures that are older are forgotten.'),
    maxSize: byteSize({ min: 1024 ** 2, max: 16 * 1024 ** 3 })
      .prefault('64MiB')
      .describe('Largest size of history.db in the data directory; the oldest is forgotten before it grows beyond.'),
  },
  { aliases: { retention: 'maxAge', ttl: 'maxAge', maxBytes: 'maxSize', size: 'maxSize' } },
)

const accessLog = section(
  {
    path: z
      .string({ error: 'must be a text' })
      .min(1, { error: 'must name a file' })
      .describe("File that gets one line per request, relative to the working directory; or 'stdout' or 'stderr'."),
    format: choice(['json', 'common'])
      .prefault('json')
      .describe('json: one object per line. common: the Common Log Format of web servers. Neither holds headers, bodies or queries.'),
  },
  { aliases: { file: 'path' } },
)

const tracing = section(
  {
    endpoint: baseUrl().describe('Where OpenTelemetry traces go: OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces.'),
    sampleRatio: ratio().prefault(1).describe('Share of the traces begun here that are sent. Those a client begins are its decision.'),
    headers: headersSchema().prefault({}).describe('Headers of every request to the endpoint. Treated as secrets.'),
    serviceName: text('a name of up to 100 letters, digits, blanks or any of . _ -', /^[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}$/)
      .prefault('holdfast')
      .describe('service.name of the traces.'),
  },
  { aliases: { url: 'endpoint', samplingRatio: 'sampleRatio' } },
)

export const serverSchema: z.ZodType<ServerSource> = section(
  {
    gateway: gateway
      .prefault({})
      .describe('The listener that forwards requests: /<upstream>/… goes to that upstream through its pipeline.'),
    control: controlSchema.prefault({}).describe('The listener for health, metrics, dashboard and API.'),
    tokens: z
      .array(token, { error: 'must be a list of tokens' })
      .prefault([])
      .describe('Who may use the control API. Without tokens nothing can be changed through it.'),
    dataDir: z
      .string({ error: 'must be a text' })
      .min(1, { error: 'must name a directory' })
      .prefault('.holdfast')
      .describe('Directory for state that survives a restart, relative to the working directory.'),
    log: log.prefault({}).describe('The log, on standard error.'),
    reload: reload.prefault({}).describe('When the configuration is loaded anew. SIGHUP and the API load it whatever stands here.'),
    audit: audit.prefault({}).describe('The record of all changes made through the control API.'),
    history: history.prefault({}).describe('What the dashboard shows of the past: figures, states, events, kept over restarts.'),
    accessLog: accessLog.exactOptional().describe('A line about each request of the gateway. None when left out.'),
    tracing: tracing.exactOptional().describe('OpenTelemetry traces of the gateway. None when left out.'),
  },
  { elsewhere: { host: "set it under 'gateway' or 'control'", port: "set it under 'gateway' or 'control'" } },
)
