/** What became of one request. */
export interface RequestRecord {
  /** Undefined when the request named none. */
  readonly upstream: string | undefined
  readonly method: string
  /** Without query; as the client wrote it. */
  readonly path: string
  /** What the client was answered; 499 when it left first, 101 when the connection became a tunnel. */
  readonly status: number
  /** Why the gateway answered by itself, or cut the answer short. */
  readonly cause: string | undefined
  /** Requests sent to the upstream. */
  readonly attempts: number
  readonly durationMs: number
  /** Until the head of the answer went out; undefined when none did. */
  readonly headMs: number | undefined
  /** Bytes of the answer's body; of a tunnel, all that went to the client. */
  readonly bytes: number
  /** Bytes of the request's body that were read; of a tunnel, all that came from the client. */
  readonly receivedBytes: number
  readonly clientAddress: string
  readonly requestId: string
  /** Of the trace that the request belongs to, if it belongs to any. */
  readonly traceId: string | undefined
}
