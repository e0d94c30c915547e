import type { Socket } from 'node:net'

const longestMs = 2_000
const mostBytes = 8 * 1024 * 1024

/**
 * Ends a connection whose client may still be sending. Closing it at once would answer the unread bytes with a reset, and the reset
 * may overtake the answer; so what comes is read and thrown away for a while. Nothing of it is parsed any more.
 */
export function endAndLinger(socket: Socket): void {
  if (socket.destroyed) return
  let left = mostBytes
  socket.removeAllListeners('data').removeAllListeners('end')
  socket.on('error', () => undefined)
  socket.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) socket.destroy()
  })
  socket.once('end', () => socket.destroy())
  const timer = setTimeout(() => socket.destroy(), longestMs)
  socket.once('close', () => clearTimeout(timer))
  socket.end()
  socket.resume()
}
