import { buildConnector, Pool } from 'undici'
import type { RouteSettings } from './route.ts'
import { tlsConnectOptions } from './upstream-tls.ts'

/** What decides about the connections to an upstream. */
export type ConnectionSettings = Pick<RouteSettings, 'url' | 'connections' | 'bodyIdleTimeoutMs' | 'connectTimeoutMs' | 'http2' | 'tls'>

/** The connections to an upstream. They may outlive the settings of its route, and its route them. */
export class UpstreamConnections {
  readonly pool: Pool
  /** Requests sent whose answers have not ended yet, tunnels among them. */
  openRequests = 0
  private readonly settings: ConnectionSettings
  private tunnels: Pool | undefined = undefined
  /** Requests of clients that were routed here and are not over: each may still send a request, after a wait or for another attempt. */
  private users = 0
  private whenUnused: (() => void) | undefined = undefined

  constructor(settings: ConnectionSettings) {
    this.settings = settings
    this.pool = this.newPool({ http2: settings.http2 === true, allowHalfOpen: false })
  }

  /** For connections that become tunnels: always HTTP/1.1, and one side may end while the other goes on. */
  get tunnelPool(): Pool {
    return (this.tunnels ??= this.newPool({ http2: false, allowHalfOpen: true }))
  }

  enter(): void {
    this.users++
  }

  leave(): void {
    this.users--
    if (this.users === 0) this.whenUnused?.()
  }

  /** Closes them once the requests that were routed here are over; resolves then. No request may be routed here any more. */
  async drain(): Promise<void> {
    if (this.users > 0) {
      await new Promise<void>((resolve) => {
        this.whenUnused = resolve
      })
    }
    await Promise.all([this.pool.close(), this.tunnels?.close()])
  }

  /** Closes them now, whatever they carry. */
  async destroy(): Promise<void> {
    await Promise.all([this.pool.destroy(), this.tunnels?.destroy()])
  }

  private newPool({ http2, allowHalfOpen }: { readonly http2: boolean; readonly allowHalfOpen: boolean }): Pool {
    const { url, connections, bodyIdleTimeoutMs, connectTimeoutMs, tls } = this.settings
    const serverName = tls?.serverName // undici itself would take the name in the Host header
    const connect = buildConnector({
      allowH2: http2,
      timeout: connectTimeoutMs,
      ...(tls === undefined ? {} : tlsConnectOptions(tls)),
      ...(allowHalfOpen ? { allowHalfOpen } : {}),
    })
    return new Pool(url.origin, {
      connections,
      pipelining: 1,
      allowH2: http2,
      headersTimeout: 0, // the timeout policies' job
      bodyTimeout: bodyIdleTimeoutMs,
      connect: serverName === undefined ? connect : (options, done) => connect({ ...options, servername: serverName }, done),
    })
  }
}
