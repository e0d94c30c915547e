import { concat } from './web-body.ts'
import { isEventStream, storedResponse, type StoredResponse } from './stored-response.ts'

/** What of a response of `node:http` is used. */
export interface NodeResponse {
  statusCode: number
  readonly headersSent: boolean
  readonly writableEnded: boolean
  getHeaders(): Readonly<Record<string, unknown>>
  getHeader(name: string): unknown
  setHeader(name: string, value: string): unknown
  on(event: 'close', listener: () => void): unknown
}

/** Methods that send something. */
interface Sending {
  write(chunk: unknown, ...rest: unknown[]): boolean
  end(...args: unknown[]): unknown
  writeHead(status: number, ...rest: unknown[]): unknown
  flushHeaders(): void
}

/**
 * Holds back what is written to a response until it is recorded, so that whoever saw the answer finds it recorded. Beyond a number of
 * bytes, or when it is a stream of events, it lets everything through.
 */
export function holdResponse(response: NodeResponse, maxBytes: number, record: (response: StoredResponse) => Promise<void>): void {
  new HeldResponse(response, maxBytes, record).hold()
}

class HeldResponse {
  private readonly response: NodeResponse & Sending
  private readonly maxBytes: number
  private readonly record: (response: StoredResponse) => Promise<void>
  private readonly own: Sending
  private readonly chunks: Uint8Array[] = []
  private length = 0
  private ended = false
  private isOpen = false

  constructor(response: NodeResponse, maxBytes: number, record: (response: StoredResponse) => Promise<void>) {
    this.response = response as NodeResponse & Sending
    this.maxBytes = maxBytes
    this.record = record
    const { write, end, writeHead, flushHeaders } = this.response
    this.own = { write, end, writeHead, flushHeaders }
  }

  hold(): void {
    this.response.write = (chunk, ...rest) => this.write(chunk, rest)
    this.response.end = (...args) => this.end(args)
    this.response.writeHead = (status, ...rest) => this.writeHead(status, rest)
    this.response.flushHeaders = () => this.passStreams()
  }

  private write(chunk: unknown, rest: readonly unknown[]): boolean {
    this.passStreams()
    if (this.isOpen) return this.own.write.call(this.response, chunk, ...rest)
    if (!this.ended) this.keep(chunk, rest)
    const done = rest.at(-1)
    if (typeof done === 'function') queueMicrotask(() => done())
    return true
  }

  private end(args: readonly unknown[]): unknown {
    const [first] = args
    if (typeof first !== 'function' && first !== undefined && first !== null) this.write(first, args.slice(1, 2))
    const done = args.findLast((argument) => typeof argument === 'function') as (() => void) | undefined
    if (this.isOpen) return this.own.end.call(this.response, ...(done === undefined ? [] : [done]))
    if (this.ended) return this.response
    this.ended = true
    const body = concat(this.chunks, this.length)
    void this.record(storedResponse(this.response.statusCode, Object.entries(this.response.getHeaders()), body)).then(() => {
      this.open()
      this.own.end.call(this.response, ...(body.byteLength === 0 ? [] : [body]), ...(done === undefined ? [] : [done]))
    })
    return this.response
  }

  private keep(chunk: unknown, [encoding]: readonly unknown[]): void {
    const bytes =
      typeof chunk === 'string'
        ? Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
        : (chunk as Uint8Array)
    this.chunks.push(bytes)
    this.length += bytes.byteLength
    if (this.length > this.maxBytes) this.letThrough()
  }

  private writeHead(status: number, rest: readonly unknown[]): unknown {
    if (this.isOpen) return this.own.writeHead.call(this.response, status, ...rest)
    this.response.statusCode = status
    const headers = rest.find((argument) => typeof argument === 'object' && argument !== null)
    const pairs: (readonly unknown[])[] = []
    if (Array.isArray(headers)) for (let index = 0; index < headers.length; index += 2) pairs.push([headers[index], headers[index + 1]])
    else pairs.push(...Object.entries(headers ?? {}))
    for (const [name, value] of pairs) this.response.setHeader(String(name), value as string)
    this.passStreams()
    return this.response
  }

  private passStreams(): void {
    if (!this.isOpen && !this.ended && isEventStream(this.response.getHeader('content-type'))) {
      this.letThrough()
      this.own.flushHeaders.call(this.response)
    }
  }

  /** It is not kept: what was held back goes, and the rest follows as it comes. */
  private letThrough(): void {
    this.open()
    void this.record(storedResponse(this.response.statusCode, Object.entries(this.response.getHeaders()), undefined))
    for (const chunk of this.chunks.splice(0)) this.own.write.call(this.response, chunk)
  }

  private open(): void {
    this.isOpen = true
    Object.assign(this.response, this.own)
  }
}
