import type { HttpAnswer } from './answer.ts'
import type { NodeResponse } from './held-response.ts'

/** Headers as `node:http` has them. */
export type NodeHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

export function headerOf(headers: NodeHeaders, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'object' ? value[0] : value
}

/** Sends an answer that takes the place of a handler's. */
export function send(response: NodeResponse, { status, headers, body }: HttpAnswer): void {
  response.statusCode = status
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  ;(response as NodeResponse & { end(body: unknown): void }).end(body)
}

/** A signal that aborts when the client leaves before it was answered. Made only where something may wait. */
export function clientSignal(response: NodeResponse): AbortSignal {
  const controller = new AbortController()
  response.on('close', () => {
    if (!response.writableEnded) controller.abort(new DOMException('the client has left', 'AbortError'))
  })
  return controller.signal
}
