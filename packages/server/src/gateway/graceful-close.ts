import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

const trackers = new WeakMap<Server, OpenSockets>()

/**
 * Which connections carry a request. Node calls a connection that has not sent anything yet active, and would wait for it until its
 * headers time out.
 */
class OpenSockets {
  private readonly requests = new Map<Socket, number>()
  private closing = false

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      this.requests.set(socket, 0)
      socket.once('close', () => this.requests.delete(socket))
      if (this.closing) socket.destroy()
    })
    server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
      this.requests.set(socket, (this.requests.get(socket) ?? 0) + 1)
      response.once('close', () => {
        const left = (this.requests.get(socket) ?? 1) - 1
        if (socket.destroyed) return
        this.requests.set(socket, left)
        if (this.closing && left === 0) socket.destroySoon()
      })
    })
  }

  /** Ends every connection as soon as it carries no request. */
  drain(): void {
    this.closing = true
    for (const [socket, requests] of this.requests) if (requests === 0) socket.destroySoon()
  }
}

/** To be called before the server listens, so that {@link closeGracefully} knows its connections. */
export function trackConnections(server: Server): void {
  if (!trackers.has(server)) trackers.set(server, new OpenSockets(server))
}

/** Takes no new connection, lets the requests under way finish, and cuts what is left after the grace period. */
export async function closeGracefully(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve()) // also when it never listened
  })
  trackers.get(server)?.drain()
  const timer = setTimeout(() => server.closeAllConnections(), graceMs)
  await closed
  clearTimeout(timer)
}
