import * as z from 'zod'
import { boolean, byteSize, duration, integer, text } from './scalars.ts'
import { host, networks, port } from './schema-address.ts'
import { listenerTlsSchema, type ListenerTlsSettings } from './schema-listener-tls.ts'
import { section } from './section.ts'

export interface ControlSettings {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly allowedHosts: readonly string[]
  /** Addresses and networks (CIDR) whose X-Forwarded-For and -Proto are believed. */
  readonly trustedProxies: readonly string[]
  /** Whether looking needs a token, too. Left out: when others than this machine can reach it. */
  readonly loginRequired?: boolean
  readonly maxBodyBytes: number
  /** Durations in ms. */
  readonly sessions: { readonly maxAge: number; readonly idleTimeout: number; readonly max: number }
  readonly failedLogins: { readonly limit: number; readonly window: number }
  readonly tls?: ListenerTlsSettings
}

const sessions = section(
  {
    maxAge: duration({ min: '1s', max: '30d' }).prefault('12h').describe('A session of the page ends after this time, used or not.'),
    idleTimeout: duration({ min: '1s', max: '30d' }).prefault('1h').describe('A session that is not used for this time ends.'),
    max: integer({ min: 1, max: 100_000 }).prefault(1_000).describe('Sessions at the same time; the longest unused one gives way.'),
  },
  { aliases: { ttl: 'maxAge', idle: 'idleTimeout' } },
)

const failedLogins = section({
  limit: integer({ min: 1, max: 10_000 })
    .prefault(10)
    .describe(
      'Wrong tokens that one address (of IPv6, one /64 network) may show within the window; then it gets 429 until they are forgotten.',
    ),
  window: duration({ min: '1s', max: '1d' }).prefault('1m').describe('The window.'),
})

export const controlSchema: z.ZodType<ControlSettings> = section(
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
    trustedProxies: networks()
      .prefault([])
      .describe('Addresses and networks of proxies before it, whose X-Forwarded-For and X-Forwarded-Proto are believed. Needs tokens.'),
    loginRequired: boolean()
      .exactOptional()
      .describe(
        'Whether looking needs a token or a session, too. When left out: unless only this machine can reach it (host is a loopback address, and there are no trustedProxies and no other allowedHosts).',
      ),
    maxBodyBytes: byteSize({ min: 1_024, max: 16 * 1024 ** 2 })
      .prefault('64KiB')
      .describe('Largest request body; more is answered with 413.'),
    sessions: sessions.prefault({}).describe('Sessions of the page.'),
    failedLogins: failedLogins.prefault({}).describe('How many wrong tokens are let pass.'),
    tls: listenerTlsSchema.exactOptional().describe('Certificate; with it the listener speaks https. None when left out.'),
  },
  { aliases: { bind: 'host', address: 'host', requireLogin: 'loginRequired', maxBodySize: 'maxBodyBytes' } },
)
