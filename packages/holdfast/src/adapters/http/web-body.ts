/** A body that was read, and is there to be read again. */
export interface BodyRead {
  /** All of it; absent when it was longer than wanted. */
  readonly bytes: Uint8Array | undefined
  readonly body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>
}

/** Reads a body up to a number of bytes. What is longer is there as a stream: what was read, and then the rest. */
export async function readUpTo(stream: ReadableStream<Uint8Array> | null, maxBytes: number): Promise<BodyRead> {
  if (stream === null) return { bytes: new Uint8Array(), body: new Uint8Array() }
  const reader = stream.getReader()
  const chunks: Uint8Array[] = []
  let length = 0
  for (;;) {
    const { value, done } = await reader.read()
    if (done) break
    chunks.push(value)
    length += value.byteLength
    if (length > maxBytes) return { bytes: undefined, body: streamOf(chunks, reader) }
  }
  const bytes = concat(chunks, length)
  return { bytes, body: bytes }
}

export function concat(chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.byteLength
  }
  return bytes
}

function streamOf(chunks: Uint8Array[], reader: ReadableStreamDefaultReader<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const chunk = chunks.shift() ?? (await reader.read()).value
      if (chunk === undefined) controller.close()
      else controller.enqueue(chunk)
    },
    cancel: (reason) => reader.cancel(reason),
  })
}
