import type { IncomingMessage } from 'node:http'
import { PassThrough, type Readable } from 'node:stream'

/** A request's body as it can be sent: held in memory and so replayable, or streaming and sendable once. */
export type RequestBody =
  | { readonly kind: 'held'; readonly bytes: Buffer | null }
  | { readonly kind: 'streaming'; readonly stream: CountedBody }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'gone' }

/** A body on its way through. */
export interface CountedBody extends Readable {
  /** Bytes that have come so far. */
  received: number
}

export interface BodyLimits {
  /** Bytes of the largest body let in. */
  readonly maxBytes: number
  /** Bytes of the largest body held for another attempt. */
  readonly maxHeldBytes: number
  /** Called before anything is read: tells a client that waits for it to send its body. */
  readonly begin?: (() => void) | undefined
}

/** Reads a body as far as it may be held. A larger one is passed on as it comes, if its length is allowed. */
export function readBody(request: IncomingMessage, limits: BodyLimits): Promise<RequestBody> {
  const declared = request.headers['content-length']
  const length = declared === undefined ? undefined : Number(declared)
  if (length === undefined && request.headers['transfer-encoding'] === undefined) return Promise.resolve({ kind: 'held', bytes: null })
  if (length !== undefined && length > limits.maxBytes) return Promise.resolve({ kind: 'too-large' })
  if (length === 0) return Promise.resolve({ kind: 'held', bytes: Buffer.alloc(0) })
  limits.begin?.()
  if (length !== undefined && length > limits.maxHeldBytes)
    return Promise.resolve({ kind: 'streaming', stream: limited(request, [], limits.maxBytes) })
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    const finish = (body: RequestBody): void => {
      request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose)
      resolve(body)
    }
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk)
      size += chunk.length
      if (size > limits.maxBytes) finish({ kind: 'too-large' })
      else if (size > limits.maxHeldBytes) {
        request.pause()
        finish({ kind: 'streaming', stream: limited(request, chunks, limits.maxBytes) })
      }
    }
    const onEnd = (): void => finish({ kind: 'held', bytes: chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size) })
    const onClose = (): void => finish({ kind: 'gone' })
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose)
  })
}

/** Raised inside a streaming body that turns out larger than its limit. */
export class BodyTooLarge extends Error {
  constructor() {
    super('the request body exceeds the limit')
  }
}

function limited(request: IncomingMessage, begun: readonly Buffer[], maxBytes: number): CountedBody {
  const stream = Object.assign(new PassThrough(), { received: 0 })
  const count = (chunk: Buffer): void => {
    stream.received += chunk.length
    if (stream.received <= maxBytes) return
    request.unpipe(stream)
    stream.destroy(new BodyTooLarge())
  }
  stream.on('error', () => undefined) // nobody else listens when the request is refused before it is sent
  for (const chunk of begun) {
    count(chunk)
    stream.write(chunk)
  }
  request.on('data', count)
  request.on('aborted', () => stream.destroy(new Error('the client has left')))
  request.pipe(stream)
  return stream
}
