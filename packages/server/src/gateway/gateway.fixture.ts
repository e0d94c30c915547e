import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { pipeline, rateLimiter, systemClock, type CircuitBreakerOptions, type Policy, type RateLimiter, type RetryOptions } from 'holdfast'
import {
  createGateway,
  Route,
  type Gateway,
  type GatewayOptions,
  type RequestRecord,
  type RouteSettings,
  UpstreamFailure,
  type RequestContext,
} from './index.ts'

/** An upstream that does what a test says, and remembers what it was asked. */
export interface TestUpstream {
  readonly server: Server
  readonly port: number
  readonly requests: IncomingMessage[]
  close(): Promise<void>
}

export async function startUpstream(handle: RequestListener): Promise<TestUpstream> {
  const requests: IncomingMessage[] = []
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    requests.push(request)
    handle(request, response)
  })
  const port = await listenAnywhere(server)
  return { server, port, requests, close: () => closeServer(server) }
}

export interface TestGateway {
  readonly gateway: Gateway
  readonly url: string
  readonly port: number
  readonly route: Route
  readonly quota: RateLimiter
  /** Resolves with the record of the n-th request (from 0), as soon as it is over. */
  record(index: number): Promise<RequestRecord>
  close(): Promise<void>
}

export interface TestGatewayOptions {
  readonly policy?: (quota: RateLimiter) => Policy
  readonly route?: Partial<RouteSettings>
  readonly gateway?: Partial<GatewayOptions>
}

/** A gateway before one upstream, called `up`. */
export async function startGateway(upstreamPort: number, options: TestGatewayOptions = {}): Promise<TestGateway> {
  const quota = rateLimiter({ name: 'quota', limit: Infinity })
  const route = new Route({
    name: 'up',
    url: new URL(`http://127.0.0.1:${upstreamPort}`),
    headers: new Map(),
    policy: options.policy?.(quota) ?? pipeline(quota),
    quota,
    maxPauseMs: 60_000,
    countsAsFailure: (status) => status >= 500,
    worthRetrying: (status) => status === 429 || status >= 500,
    repeatable: new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']),
    bodyIdleTimeoutMs: 10_000,
    connectTimeoutMs: 2_000,
    connections: 16,
    maxBodyBytes: 1_000_000,
    maxHeldBytes: 100_000,
    clock: systemClock,
    ...options.route,
  })
  const records: RequestRecord[] = []
  const waiting: (() => void)[] = []
  const gateway = createGateway({
    routes: new Map([['up', route]]),
    now: () => performance.now(),
    onRequest: (record) => {
      records.push(record)
      for (const look of waiting.splice(0)) look()
    },
    ...options.gateway,
  })
  const port = await listenAnywhere(gateway.server)
  return {
    gateway,
    url: `http://127.0.0.1:${port}`,
    port,
    route,
    quota,
    record: async (index) => {
      while (records[index] === undefined) await new Promise<void>((resolve) => waiting.push(resolve))
      return records[index]
    },
    close: async () => {
      await gateway.close(0)
      await route.connections.destroy()
    },
  }
}

function listenAnywhere(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

/** Sends bytes as they are, and resolves with all that comes back until the other side closes. */
export function sendRaw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(port, '127.0.0.1', () => socket.write(text, 'latin1'))
    let received = ''
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      received += chunk
    })
    socket.on('close', () => resolve(received))
    socket.on('error', reject)
  })
}

/** Upstreams and gateways of one test file, closed after every test. */
export class GatewayTests {
  private readonly opened: { close(): Promise<void> }[] = []

  /** Closes with the others. */
  open<T extends { close(): Promise<void> }>(each: T): T {
    this.opened.push(each)
    return each
  }

  /** A gateway before an upstream that answers as `handle` says. */
  async set(handle: RequestListener, options: TestGatewayOptions = {}): Promise<{ upstream: TestUpstream; gateway: TestGateway }> {
    const upstream = this.open(await startUpstream(handle))
    return { upstream, gateway: this.open(await startGateway(upstream.port, options)) }
  }

  async closeAll(): Promise<void> {
    for (const each of this.opened.splice(0).toReversed()) await each.close()
  }
}

export function answerOk(_request: IncomingMessage, response: ServerResponse): void {
  response.end('fine')
}

/** A breaker's view of an upstream's answers, as the server sets it. */
export const breakerRules: Pick<CircuitBreakerOptions<never>, 'isFailure' | 'ignore'> = {
  isFailure: (error) => !(error instanceof UpstreamFailure) || error.judgement.countsAsFailure,
  ignore: (error) => error instanceof UpstreamFailure && error.status === 429,
}

/** Retries as the server sets them, without their delays. */
export const retryRules: RetryOptions = {
  initialDelay: 1,
  retryOn: (error) => (error instanceof UpstreamFailure ? error.judgement.worthRetrying : true),
  idempotent: (call) => (call.context as RequestContext).idempotent,
  onRetry: ({ error }) => {
    if (error instanceof UpstreamFailure) error.answer.discard()
  },
}
