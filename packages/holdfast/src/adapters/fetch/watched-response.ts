import type { ReadableByteStreamController } from 'node:stream/web'

/** Hears of the end of a body, once. */
export interface BodyWatcher {
  ended(failure?: { readonly error: unknown }): void
  /** A piece of the body, before its reader has it. */
  read?(chunk: Uint8Array): void
}

/** Bodies that were dropped without having been read to their end: nobody else would end them. */
const dropped = new FinalizationRegistry<() => void>((end) => end())

/** A response whose body is watched to its end: read, cancelled, failed or dropped. One without a body has ended. */
export function watchResponse(response: Response, watcher: BodyWatcher): Response {
  if (response.body === null) {
    watcher.ended()
    return response
  }
  const body = watchedBody(response.body, watcher)
  const watched = new Response(body, { status: response.status, statusText: response.statusText, headers: response.headers })
  return dressed(watched, response)
}

/** Gives a response made by hand what only fetch can give: its address. Its copies have it too. */
function dressed(made: Response, original: Pick<Response, 'url' | 'redirected' | 'type'>): Response {
  const { url, redirected, type } = original
  return Object.defineProperties(made, {
    url: { value: url, configurable: true },
    redirected: { value: redirected, configurable: true },
    type: { value: type, configurable: true },
    clone: { value: () => dressed(Response.prototype.clone.call(made), { url, redirected, type }), configurable: true },
  })
}

function watchedBody(body: ReadableStream<Uint8Array>, watcher: BodyWatcher): ReadableStream<Uint8Array> {
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  const token = {}
  const end = (failure?: { readonly error: unknown }): void => {
    dropped.unregister(token)
    watcher.ended(failure)
  }
  const stopReading = (reason?: unknown): Promise<void> => (reader ?? body).cancel(reason)
  const source = {
    type: 'bytes' as const,
    async pull(controller: ReadableByteStreamController) {
      try {
        reader ??= body.getReader()
        let piece = await reader.read()
        while (!piece.done && piece.value.byteLength === 0) piece = await reader.read()
        if (piece.done) {
          end()
          controller.close()
          controller.byobRequest?.respond(0)
          return
        }
        watcher.read?.(piece.value)
        controller.enqueue(piece.value)
      } catch (error) {
        end({ error })
        controller.error(error)
      }
    },
    async cancel(reason: unknown) {
      end()
      await stopReading(reason)
    },
  }
  const stream: ReadableStream<Uint8Array> = new ReadableStream(source)
  const drop = (): void => {
    stopReading().catch(() => undefined)
    watcher.ended()
  }
  dropped.register(stream, drop, token)
  return stream
}
