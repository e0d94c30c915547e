import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { ClientExchange, type Arrival, type ExchangeHost } from './client-exchange.ts'
import { limitConnections } from './connection-limits.ts'
import { closeGracefully, trackConnections, type ConnectionTracker } from './graceful-close.ts'
import { answerMalformed } from './malformed-request.ts'
import { ownAnswer } from './refusal-answer.ts'
import type { RequestRecord } from './request-record.ts'
import type { Route } from './route.ts'
import { parseTarget } from './target.ts'
import type { Tracing } from './tracing.ts'
import { headWithoutUpgrade, responseOn, wantedProtocol } from './upgrade.ts'
import { maxHeaders } from './vet-request.ts'

export interface GatewayOptions {
  readonly routes: ReadonlyMap<string, Route>
  /** Monotonic ms. */
  readonly now: () => number
  /** Epoch ms. @defaultValue Date.now */
  readonly wallNow?: () => number
  readonly onRequest?: (record: RequestRecord) => void
  /** Told of what was answered without a request: malformed bytes, too many connections. */
  readonly onTurnedAway?: (cause: string) => void
  /** Deadline of every request, in ms. @defaultValue none */
  readonly requestDeadlineMs?: number | undefined
  /** Longest time to receive the headers of a request, in ms. @defaultValue 10_000 */
  readonly headersTimeoutMs?: number
  /** Longest time to receive a whole request, in ms. @defaultValue 60_000 */
  readonly bodyTimeoutMs?: number
  /** Longest time in which a client may take nothing of its answer, in ms. @defaultValue 60_000 */
  readonly clientIdleTimeoutMs?: number
  /** Most connections at the same time. @defaultValue 4_096 */
  readonly maxConnections?: number
  /** Most connections of one address at the same time. @defaultValue no further limit */
  readonly maxConnectionsPerAddress?: number
  /** Addresses whose X-Forwarded-For is believed. @defaultValue none */
  readonly isTrustedProxy?: ((address: string) => boolean) | undefined
  /** @defaultValue none: trace headers pass untouched */
  readonly tracing?: Tracing | undefined
}

/** What may change while the gateway runs. */
export type LiveGatewayOptions = Pick<
  GatewayOptions,
  | 'requestDeadlineMs'
  | 'headersTimeoutMs'
  | 'bodyTimeoutMs'
  | 'clientIdleTimeoutMs'
  | 'maxConnections'
  | 'maxConnectionsPerAddress'
  | 'isTrustedProxy'
>

export interface Gateway {
  readonly server: Server
  /** Requests under way, tunnels among them. */
  readonly inFlight: number
  /** Puts other settings into force, for the connections and requests to come; those under way keep theirs. */
  reconfigure(options: LiveGatewayOptions): void
  /** Takes no more connections, and resolves when the requests under way are over, or after `graceMs`, when the rest is cut. */
  close(graceMs: number): Promise<void>
}

export function createGateway(options: GatewayOptions): Gateway {
  const { headersTimeout, requestTimeout } = receivingTimes(options)
  const server = createServer({
    headersTimeout,
    requestTimeout,
    connectionsCheckingInterval: Math.min(1_000, headersTimeout, requestTimeout),
    maxHeaderSize: 16_384,
    keepAliveTimeout: 65_000,
    requireHostHeader: false, // vetted here, after the number of headers: Node may have left it out with the surplus
  })
  server.maxHeadersCount = maxHeaders + 1 // Node leaves out what is beyond without a word
  const parse = server.listeners('connection')[0] as (this: Server, socket: Socket) => void
  const onTurnedAway = (cause: string): void => options.onTurnedAway?.(cause)
  const tracker = trackConnections(server)
  const handling = new Handling(options, tracker)
  limitConnections(
    server,
    () => ({
      maxConnections: handling.options.maxConnections ?? 4_096,
      maxPerAddress: handling.options.maxConnectionsPerAddress ?? Infinity,
    }),
    () => onTurnedAway('too-many-connections'),
  )
  answerMalformed(server, ({ cause }) => onTurnedAway(cause))
  handling.listen(server, parse)
  return {
    server,
    get inFlight() {
      return handling.inFlight
    },
    reconfigure: (changed) => {
      handling.options = { ...handling.options, ...changed }
      Object.assign(server, receivingTimes(handling.options))
    },
    close: (graceMs) => closeGracefully(server, graceMs),
  }
}

/** As node:http has them: how long headers, and a request as a whole, may take to come. */
function receivingTimes({ headersTimeoutMs = 10_000, bodyTimeoutMs = 60_000 }: GatewayOptions): {
  readonly headersTimeout: number
  readonly requestTimeout: number
} {
  return { headersTimeout: headersTimeoutMs, requestTimeout: headersTimeoutMs + bodyTimeoutMs }
}

/** Takes requests as Node hands them over. */
class Handling implements ExchangeHost {
  inFlight = 0
  options: GatewayOptions
  private readonly tracker: ConnectionTracker
  /** Connections that are about to end; Node may have read further requests of theirs already. */
  private readonly refused = new Set<Socket>()

  constructor(options: GatewayOptions, tracker: ConnectionTracker) {
    this.options = options
    this.tracker = tracker
  }

  get draining(): boolean {
    return this.tracker.draining
  }

  ended(): void {
    this.inFlight--
  }

  refuses(socket: Socket): void {
    this.refused.add(socket)
    socket.once('close', () => this.refused.delete(socket))
  }

  /** `parse` makes requests out of what a connection brings. */
  listen(server: Server, parse: (this: Server, socket: Socket) => void): void {
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.handle({ request, response, expectsContinue: false, upgrade: undefined })
    })
    server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      this.tracker.carries(request, response)
      this.handle({ request, response, expectsContinue: true, upgrade: undefined })
    })
    server.on('upgrade', (request, duplex, head: Buffer) => {
      const socket = duplex as Socket
      const protocol = this.offeredProtocol(request)
      if (head.length > 0) socket.unshift(head)
      if (protocol === undefined) {
        // as if the client had not asked: what it sent is read once more, without the wish
        socket.unshift(headWithoutUpgrade(request))
        parse.call(server, socket)
        return
      }
      socket.on('error', () => undefined)
      this.tracker.becomesTunnel(socket)
      this.handle({ request, response: responseOn(request, socket), expectsContinue: false, upgrade: { socket, protocol } })
    })
  }

  private handle(arrival: Arrival): void {
    if (this.refused.size > 0 && this.refused.has(arrival.request.socket)) return
    this.inFlight++
    const exchange = new ClientExchange(arrival, this)
    exchange.run().catch((error: unknown) => exchange.answerSelf(ownAnswer(error, 'gateway')))
  }

  /** The protocol that a request wants to change to, if its upstream is set to allow that. */
  private offeredProtocol(request: IncomingMessage): string | undefined {
    const wanted = wantedProtocol(request)
    const target = parseTarget(request.url ?? '')
    if (wanted === undefined || 'problem' in target) return undefined
    return this.options.routes.get(target.upstream)?.settings.upgrades?.has(wanted) === true ? wanted : undefined
  }
}
