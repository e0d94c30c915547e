/** What traces are made of, without a word of how. Absent, requests pass with the client's own trace headers, untouched. */
export interface Tracing {
  /** A request of a client has come; `header` reads what the client sent. */
  begin(request: TracedRequest): RequestTrace
}

export interface TracedRequest {
  readonly method: string
  readonly path: string
  readonly protocol: 'http' | 'https'
  readonly clientAddress: string
  readonly requestId: string
  header(name: string): string | undefined
}

export interface RequestTrace {
  readonly traceId: string
  /** An attempt begins: one request to an upstream. */
  beginAttempt(attempt: TracedAttempt): AttemptTrace
  end(result: TracedResult): void
}

export interface TracedAttempt {
  readonly upstream: string
  readonly url: URL
  readonly path: string
  readonly method: string
  /** 1 for the first. */
  readonly attempt: number
}

export interface AttemptTrace {
  /** The trace headers of this attempt: flat name, value … */
  readonly headers: readonly string[]
  end(status: number | undefined, error: Error | undefined): void
}

export interface TracedResult {
  readonly status: number
  readonly cause: string | undefined
  readonly upstream: string | undefined
  readonly bytes: number
}

/** Headers that carry a trace; replaced while tracing is on. */
export const traceHeaders: ReadonlySet<string> = new Set(['traceparent', 'tracestate'])
