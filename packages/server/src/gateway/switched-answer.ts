import type { Duplex } from 'node:stream'
import { Answer, type BodySource } from './answer.ts'

/** An upstream's 101: its connection now carries another protocol. The answer ends when the tunnel does. */
export class SwitchedAnswer extends Answer {
  readonly socket: Duplex
  /** To be called once, when the tunnel is over; with the error, if it was the upstream's fault. */
  readonly tunnelEnded: (error?: Error) => void

  constructor(rawHeaders: readonly string[], socket: Duplex, source: BodySource, tunnelEnded: (error?: Error) => void) {
    super(101, 'Switching Protocols', rawHeaders, source)
    this.socket = socket
    this.tunnelEnded = tunnelEnded
  }

  override discard(): void {
    this.socket.on('error', () => undefined)
    this.socket.destroy()
    this.tunnelEnded()
  }
}
