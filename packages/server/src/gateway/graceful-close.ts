import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Knows which connections of a server carry a request. */
export interface ConnectionTracker {
  /** The server is closing: answers should tell their clients to close the connection. */
  readonly draining: boolean
  /** Counts a request that the server's event 'request' does not bring. */
  carries(request: IncomingMessage, response: ServerResponse): void
  /** The connection has become a tunnel, and carries it until it closes. */
  becomesTunnel(socket: Socket): void
}

const trackers = new WeakMap<Server, OpenSockets>()

/**
 * Node calls a connection that has not sent anything yet active, and would wait for it until its headers time out; and it forgets
 * those that became tunnels.
 */
class OpenSockets implements ConnectionTracker {
  draining = false
  private readonly requests = new Map<Socket, number>()

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      this.requests.set(socket, 0)
      socket.once('close', () => this.requests.delete(socket))
      if (this.draining) socket.destroy()
    })
    server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => this.carries(request, response))
  }

  carries({ socket }: IncomingMessage, response: ServerResponse): void {
    this.requests.set(socket, (this.requests.get(socket) ?? 0) + 1)
    response.once('close', () => {
      const left = (this.requests.get(socket) ?? 1) - 1
      if (socket.destroyed) return
      this.requests.set(socket, left)
      if (this.draining && left === 0) socket.destroySoon()
    })
  }

  becomesTunnel(socket: Socket): void {
    this.requests.set(socket, 1)
  }

  /** Ends every connection as soon as it carries no request. */
  drain(): void {
    this.draining = true
    for (const [socket, requests] of this.requests) if (requests === 0) socket.destroySoon()
  }

  cut(): void {
    for (const socket of this.requests.keys()) socket.destroy()
  }
}

/** To be called before the server listens, so that {@link closeGracefully} knows its connections. */
export function trackConnections(server: Server): ConnectionTracker {
  const known = trackers.get(server)
  if (known !== undefined) return known
  const tracker = new OpenSockets(server)
  trackers.set(server, tracker)
  return tracker
}

/** Takes no new connection, lets the requests under way finish, and cuts what is left after the grace period. */
export async function closeGracefully(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve()) // also when it never listened
  })
  const tracker = trackers.get(server)
  tracker?.drain()
  const timer = setTimeout(() => {
    server.closeAllConnections()
    tracker?.cut()
  }, graceMs)
  await closed
  clearTimeout(timer)
}
