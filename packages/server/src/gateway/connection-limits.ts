import type { Server } from 'node:http'
import type { Socket } from 'node:net'

const full =
  'HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json; charset=utf-8\r\nretry-after: 1\r\nx-holdfast-cause: too-many-connections\r\nconnection: close\r\n\r\n' +
  '{"error":{"type":"holdfast_error","code":"too-many-connections","message":"too many connections"}}\n'

/** Answers connections beyond the limits with 503 at once; nothing of their requests is read. */
export function limitConnections(server: Server, maxConnections: number, maxPerAddress: number): void {
  let open = 0
  const perAddress = new Map<string, number>()
  server.prependListener('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? ''
    const ofAddress = (perAddress.get(address) ?? 0) + 1
    open++
    perAddress.set(address, ofAddress)
    socket.once('close', () => {
      open--
      const left = (perAddress.get(address) ?? 1) - 1
      if (left > 0) perAddress.set(address, left)
      else perAddress.delete(address)
    })
    if (open <= maxConnections && ofAddress <= maxPerAddress) return
    socket.end(full)
    socket.destroySoon()
  })
}
