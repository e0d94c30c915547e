import { isIP } from 'node:net'
import * as z from 'zod'
import { byteSize, choice, duration, integer, parsedScalar, text } from './scalars.ts'
import { section } from './section.ts'

export interface GatewaySettings {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly maxBodyBytes: number
  readonly requestTimeout?: number
  readonly headersTimeout: number
  readonly bodyTimeout: number
  readonly maxConnections: number
  readonly maxConnectionsPerAddress: number
  /** Addresses and networks (CIDR) whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[]
  readonly shutdownGrace: number
}

export interface ControlSettings {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly allowedHosts: readonly string[]
}

export type TokenRole = 'operate' | 'read'

/** A token as written, its value in clear or hashed. */
export interface TokenSource {
  readonly name: string
  readonly role: TokenRole
  readonly value?: string
  readonly valueFile?: string
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

export interface ServerSource {
  readonly gateway: GatewaySettings
  readonly control: ControlSettings
  readonly tokens: readonly TokenSource[]
  readonly dataDir: string
  readonly log: { readonly level: LogLevel }
}

function host(): z.ZodString {
  return text('a host name or address to listen on, such as 127.0.0.1 or ::1', /^(?!.*\/)[A-Za-z0-9.:_-]+$/)
}

function port(): z.ZodType<number> {
  return integer({ min: 0, max: 65_535 })
}

const network = parsedScalar({
  expected: 'an address or network such as 10.0.0.0/8 or ::1',
  parse: (value) => (typeof value === 'string' && isNetwork(value) ? value : undefined),
  json: { type: 'string', pattern: '^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$' },
})

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
    maxConnections: integer({ min: 1, max: 1_000_000 })
      .prefault(4096)
      .describe('Client connections at the same time; more are answered with 503.'),
    maxConnectionsPerAddress: integer({ min: 1, max: 1_000_000 })
      .prefault(512)
      .describe('Connections of one client address at the same time.'),
    trustedProxies: z
      .array(network, { error: 'must be a list of addresses' })
      .prefault([])
      .describe('Addresses and networks whose X-Forwarded-For is believed.'),
    shutdownGrace: duration({ max: '1h' }).prefault('10s').describe('Time that requests in flight get to finish when the server stops.'),
  },
  { aliases: { maxBodySize: 'maxBodyBytes', timeout: 'requestTimeout', bind: 'host', address: 'host' } },
)

const control = section(
  {
    host: host()
      .prefault('127.0.0.1')
      .describe('Address the control listener (health, metrics, dashboard, API) listens on. A public one needs tokens.'),
    port: port().prefault(8000).describe('Port of the control listener; 0 takes any free one.'),
    allowedHosts: z
      .array(text('a host name as browsers send it, such as holdfast.example.com', /^[A-Za-z0-9.:[\]_-]+$/), {
        error: 'must be a list of host names',
      })
      .prefault([])
      .describe('Host names under which browsers may reach it, besides loopback and host. Others are refused (DNS rebinding).'),
  },
  { aliases: { bind: 'host', address: 'host' } },
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

export const serverSchema: z.ZodType<ServerSource> = section(
  {
    gateway: gateway
      .prefault({})
      .describe('The listener that forwards requests: /<upstream>/… goes to that upstream through its pipeline.'),
    control: control.prefault({}).describe('The listener for health, metrics, dashboard and API.'),
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
  },
  { elsewhere: { host: "set it under 'gateway' or 'control'", port: "set it under 'gateway' or 'control'" } },
)

function isNetwork(value: string): boolean {
  const [address = '', bits, ...rest] = value.split('/')
  const family = isIP(address)
  if (family === 0 || rest.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
}
