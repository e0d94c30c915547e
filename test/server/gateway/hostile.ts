import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import type { CircuitBreaker } from 'holdfast'
import type { Cleanup, TestServer } from '../../support/server.ts'
import { startHoldfast } from '../../support/server.ts'

/** An upstream that counts what reaches it: connections, requests, and every byte of their heads. */
export interface Canary {
  readonly url: string
  readonly port: number
  readonly server: Server
  readonly requests: IncomingMessage[]
  /** Bodies of the requests that ended, in order. */
  readonly bodies: string[]
  connections: number
}

export async function startCanary(
  cleanup: Cleanup,
  handle: RequestListener = (_request, response) => void response.end('fine'),
): Promise<Canary> {
  const requests: IncomingMessage[] = []
  const bodies: string[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => bodies.push(Buffer.concat(chunks).toString('latin1')))
    handle(request, response)
  })
  const port = await listen(server)
  cleanup.add(() => {
    server.closeAllConnections()
    server.close()
  })
  const canary: Canary = { url: `http://127.0.0.1:${port}`, port, server, requests, bodies, connections: 0 }
  server.on('connection', () => canary.connections++)
  return canary
}

/** An upstream that speaks bytes, not HTTP. */
export async function startRawUpstream(cleanup: Cleanup, onConnection: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => sockets.delete(socket))
    onConnection(socket)
  })
  const port = await listen(server)
  cleanup.add(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `http://127.0.0.1:${port}`
}

function listen(server: { listen(port: number, host: string, ready: () => void): unknown; address(): unknown }): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

/** A running server with `gateway` settings and upstream `up`, plus what `more` adds. Without retries and limits unless they say so. */
export function startGateway(
  cleanup: Cleanup,
  upstreamUrl: string,
  { gateway = '', upstream = '', more = '', pipeline = '{ attemptTimeout: 20s }' }: GatewaySet = {},
): Promise<TestServer> {
  const yaml = `
server:
  dataDir: '{{data}}'
  gateway: { port: 0${gateway === '' ? '' : `, ${gateway}`} }
  control: { port: 0 }
${more}
upstreams:
  up:
    url: ${upstreamUrl}
    pipeline: ${pipeline}
${upstream}
`
  return startHoldfast(yaml, cleanup)
}

export interface GatewaySet {
  /** Further settings of `server.gateway`, in flow style. */
  readonly gateway?: string
  /** Further lines of the upstream. */
  readonly upstream?: string
  /** Further lines before the upstreams. */
  readonly more?: string
  readonly pipeline?: string
}

export function portOf(url: string): number {
  return Number(new URL(url).port)
}

/** A connection that sends bytes as they are, and keeps all that comes back. */
export class RawClient {
  readonly socket: Socket
  received = ''
  private readonly watchers = new Set<() => void>()
  private closed = false

  constructor(url: string) {
    this.socket = connect(portOf(url), '127.0.0.1')
    this.socket.setEncoding('latin1')
    this.socket.on('data', (text: string) => {
      this.received += text
      this.look()
    })
    this.socket.on('error', () => undefined)
    this.socket.once('close', () => {
      this.closed = true
      this.look()
    })
  }

  send(text: string): this {
    this.socket.write(text, 'latin1')
    return this
  }

  /** Resolves with all that came, when it matches or the connection has closed. */
  async until(pattern: RegExp): Promise<string> {
    await this.wait(() => pattern.test(this.received))
    return this.received
  }

  /** Resolves with all that came, when the other side has closed the connection. */
  async end(): Promise<string> {
    await this.wait(() => false)
    return this.received
  }

  async connected(): Promise<this> {
    if (this.socket.connecting) await once(this.socket, 'connect')
    return this
  }

  private async wait(isThere: () => boolean): Promise<void> {
    while (!this.closed && !isThere()) await new Promise<void>((resolve) => this.watchers.add(resolve))
  }

  private look(): void {
    const watchers = [...this.watchers]
    this.watchers.clear()
    for (const watcher of watchers) watcher()
  }
}

/** Sends bytes, and resolves with all that comes back until the other side closes. */
export function sendBytes(url: string, text: string): Promise<string> {
  return new RawClient(url).send(text).end()
}

export function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1])
}

/** Waits until something holds, looking again as the event loop turns. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise<void>((resolve) => setTimeout(resolve, 5))
}

/** The value of one series of `/metrics`; 0 when there is none. */
export async function metric(server: TestServer, series: string): Promise<number> {
  const text = await (await fetch(`${server.controlUrl}/metrics`)).text()
  const line = text.split('\n').find((each) => each.startsWith(`${series} `))
  return line === undefined ? 0 : Number(line.slice(series.length + 1))
}

/** The circuit breaker of upstream `up`. */
export function breakerOf({ system }: TestServer): CircuitBreaker {
  return system.get('circuit-breaker/up') as CircuitBreaker
}
