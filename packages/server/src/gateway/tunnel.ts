import type { Duplex } from 'node:stream'
import type { Socket } from 'node:net'

export interface TunnelOptions {
  /** Longest silence in both directions, in ms. */
  readonly idleTimeoutMs: number
  /** Told once: bytes from and to the client, and why it ended if one side did not just say goodbye. */
  readonly onEnd: (end: TunnelEnd) => void
}

export interface TunnelEnd {
  readonly received: number
  readonly sent: number
  readonly cause: 'upstream-cut' | 'client-left' | 'idle' | undefined
  readonly error: Error | undefined
}

/**
 * Joins the connections of client and upstream: what one sends, the other receives, no faster than it takes it. A side that has
 * nothing more to say may still listen; one that dies takes the other with it.
 */
export function tunnel(client: Socket, upstream: Duplex, options: TunnelOptions): void {
  const receivedBefore = client.bytesRead
  const sentBefore = client.bytesWritten
  let over = false
  const end = (cause: TunnelEnd['cause'], error?: Error): void => {
    if (over) return
    over = true
    const received = client.bytesRead - receivedBefore
    options.onEnd({ received, sent: client.bytesWritten - sentBefore, cause, error })
    client.destroy()
    upstream.destroy()
  }
  const bothEnded = (): boolean => client.readableEnded && upstream.readableEnded
  // what came last may still be on its way out when a connection that has ended both ways closes
  const closing = (cause: 'upstream-cut' | 'client-left', other: Duplex): void => {
    if (!bothEnded()) end(cause, new Error('the connection closed in the middle of a tunnel'))
    else if (other.writableFinished) end(undefined)
    else other.once('finish', () => end(undefined)).once('close', () => end(undefined))
  }
  client.setTimeout(options.idleTimeoutMs, () => end('idle'))
  client.on('error', () => end('client-left'))
  upstream.on('error', (error) => end('upstream-cut', error))
  client.once('close', () => closing('client-left', upstream))
  upstream.once('close', () => closing('upstream-cut', client))
  upstream.pipe(client)
  client.pipe(upstream)
}
