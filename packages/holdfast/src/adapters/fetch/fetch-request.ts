/** What is known of a request before it is sent; `context` of its call. */
export interface FetchRequest {
  readonly url: URL
  /** In capitals. */
  readonly method: string
  readonly headers: Headers
  /** The body, where it was given as a text. */
  readonly text: string | undefined
}

type FetchInput = string | URL | Request

/** A request as it was given to fetch, to be sent once or often. */
export class SendableRequest implements FetchRequest {
  readonly url: URL
  readonly method: string
  readonly headers: Headers
  readonly text: string | undefined
  /** The caller's. */
  readonly signal: AbortSignal | undefined
  private readonly input: FetchInput
  private readonly init: RequestInit
  private body: RequestInit['body']
  private sent = false

  /** @throws TypeError as fetch does, for an address or headers that are none. */
  constructor(input: FetchInput, init: RequestInit) {
    const request = input instanceof Request ? input : undefined
    this.input = input
    this.init = init
    this.url = new URL(input instanceof Request ? input.url : input)
    this.method = (init.method ?? request?.method ?? 'GET').toUpperCase()
    this.headers = new Headers(init.headers ?? request?.headers)
    this.signal = init.signal === undefined ? request?.signal : (init.signal ?? undefined)
    this.body = init.body
    this.text = typeof init.body === 'string' ? init.body : undefined
  }

  /** Whether the body is a stream, which can be read once only. */
  get isStream(): boolean {
    return this.body instanceof ReadableStream || (typeof this.body === 'object' && this.body !== null && Symbol.asyncIterator in this.body)
  }

  /** Whether it can be sent (again). */
  get isSendable(): boolean {
    return !this.sent || !this.isStream
  }

  /**
   * Reads a stream into memory, so that it can be sent again.
   * @throws RangeError for one of more bytes; what the stream throws.
   */
  async keepStream(mostBytes: number): Promise<void> {
    if (!this.isStream) return
    const pieces: Uint8Array[] = []
    let bytes = 0
    for await (const piece of this.body as unknown as AsyncIterable<Uint8Array | string>) {
      const chunk = typeof piece === 'string' ? new TextEncoder().encode(piece) : piece
      bytes += chunk.byteLength
      if (bytes > mostBytes) throw new RangeError(`the body is longer than the ${mostBytes} bytes that may be kept to send it again`)
      pieces.push(chunk)
    }
    const whole = new Uint8Array(bytes)
    let at = 0
    for (const piece of pieces) {
      whole.set(piece, at)
      at += piece.byteLength
    }
    this.body = whole
  }

  /** What to hand to fetch for one attempt. A Request is sent as a copy, since it can be read once only. */
  send(signal: AbortSignal, extraHeaders: readonly (readonly [string, string])[]): readonly [FetchInput, RequestInit] {
    this.sent = true
    const init: RequestInit = { ...this.init, signal }
    if (this.body !== undefined) init.body = this.body ?? null
    if (extraHeaders.length > 0) {
      const headers = new Headers(this.headers)
      for (const [name, value] of extraHeaders) headers.set(name, value)
      init.headers = headers
    }
    return [this.input instanceof Request ? this.input.clone() : this.input, init]
  }

  /** Nobody will send it any more: a Request counts as used, as it does after fetch. */
  close(): void {
    const { input } = this
    if (input instanceof Request && input.body !== null && !input.bodyUsed) input.body.cancel().catch(() => undefined)
  }
}
