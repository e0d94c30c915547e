import type { Server as HttpServer } from 'node:http'
import type { AddressInfo, Server, Socket } from 'node:net'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls'
import type { ListenerTlsSettings } from '../config/index.ts'
import { CertificateFiles, type CertificateTrouble } from './certificate-files.ts'
import { listen } from './listen.ts'

export interface ListenerOptions {
  readonly host: string
  readonly port: number
  /** The option that an error names, such as `server.gateway.port`. */
  readonly setting: string
  readonly tls?: ListenerTlsSettings | undefined
  /** Connections that may be agreeing on TLS, or have agreed, at the same time. */
  readonly maxConnections: number
  /** Told of certificates that were read again, and of those that could not be used. */
  readonly onCertificate?: (message: string, trouble: CertificateTrouble | undefined) => void
}

/** Where an HTTP server can be reached: directly, or through TLS. */
export interface Listener {
  /** Such as `https://127.0.0.1:8080`; empty before it listens. */
  readonly url: string
  /** @throws ListenError, or an Error that names a certificate which can no longer be used. */
  open(): Promise<void>
  /** Takes no more connections; those there are belong to the HTTP server. */
  close(): void
}

const handshakeTimeoutMs = 10_000

export function listenerOf(http: HttpServer, options: ListenerOptions): Listener {
  const { host, port, setting, tls, maxConnections, onCertificate } = options
  let front: TlsFront | undefined
  let url = ''
  return {
    get url() {
      return url
    },
    open: async () => {
      front = tls === undefined ? undefined : new TlsFront(http, new CertificateFiles(tls, onCertificate), maxConnections)
      const server: Server = front?.server ?? http
      await listen(server, host, port, setting)
      // what looks for slow requests begins its work with this event
      if (front !== undefined) http.emit('listening')
      url = urlOf(server, front === undefined ? 'http' : 'https')
    },
    close: () => front?.close(),
  }
}

/** Takes connections, agrees on TLS, and hands what is inside to the HTTP server as a connection of its own. */
class TlsFront {
  readonly server: TlsServer
  private readonly files: CertificateFiles
  /** Connections that have not agreed yet, by the address they come from. */
  private readonly agreeing = new Map<string, Socket>()

  constructor(http: HttpServer, files: CertificateFiles, maxConnections: number) {
    this.files = files
    const { minVersion } = files.settings
    this.server = createTlsServer({ ...files.read(), minVersion, ALPNProtocols: ['http/1.1'], handshakeTimeout: handshakeTimeoutMs })
    this.server.maxConnections = maxConnections
    this.server.on('connection', (socket: Socket) => {
      const address = addressOf(socket)
      this.agreeing.set(address, socket)
      socket.once('close', () => this.agreeing.delete(address))
    })
    this.server.on('secureConnection', (socket) => {
      this.agreeing.delete(addressOf(socket))
      http.emit('connection', socket)
    })
    this.server.on('tlsClientError', (_error, socket) => socket.destroy())
    files.watch((pair) => this.server.setSecureContext({ ...pair, minVersion }))
  }

  close(): void {
    this.files.close()
    this.server.close()
    for (const socket of this.agreeing.values()) socket.destroy()
  }
}

function addressOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress}:${remotePort}`
}

function urlOf(server: Server, scheme: string): string {
  const { address, port, family } = server.address() as AddressInfo
  return `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}
