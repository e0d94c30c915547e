import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { answerRaw } from './raw-answer.ts'

/** Turned away at the same time with words; more are cut without. */
const maxTurnedAway = 256

/** Read anew for each connection. */
export interface ConnectionLimits {
  readonly maxConnections: number
  readonly maxPerAddress: number
}

/** Answers connections beyond the limits with 503; nothing of their requests is read. To be called before other listeners are added. */
export function limitConnections(server: Server, limits: () => ConnectionLimits, onTurnedAway: () => void): void {
  const perAddress = new Map<string, number>()
  let open = 0
  let turnedAway = 0
  const serve = server.listeners('connection') as ((this: Server, socket: Socket) => void)[]
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? ''
    const ofAddress = perAddress.get(address) ?? 0
    const { maxConnections, maxPerAddress } = limits()
    if (open >= maxConnections || ofAddress >= maxPerAddress) {
      turnAway(socket)
      return
    }
    open++
    perAddress.set(address, ofAddress + 1)
    socket.once('close', () => {
      open--
      const left = (perAddress.get(address) ?? 1) - 1
      if (left > 0) perAddress.set(address, left)
      else perAddress.delete(address)
    })
    for (const listener of serve) listener.call(server, socket)
  })

  function turnAway(socket: Socket): void {
    onTurnedAway()
    if (turnedAway >= maxTurnedAway) {
      socket.destroy()
      return
    }
    turnedAway++
    socket.once('close', () => turnedAway--)
    answerRaw(socket, { status: 503, cause: 'too-many-connections', message: 'too many connections', retryAfterMs: 1_000 })
  }
}
