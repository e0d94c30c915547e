import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach } from 'vitest'

export interface FetchServer {
  readonly url: string
  /** Requests so far, with their bodies. */
  readonly requests: { readonly method: string | undefined; readonly headers: IncomingMessage['headers']; readonly body: string }[]
  /** Responses whose client went away before their end. */
  left: number
}

type Handle = (response: ServerResponse, count: number, request: IncomingMessage) => unknown

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

/** A server of the running test; its requests are read before they are answered. */
export async function fetchServer(handle: Handle): Promise<FetchServer> {
  const requests: FetchServer['requests'] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (piece: Buffer) => (body += piece.toString()))
    request.on('end', () => {
      requests.push({ method: request.method, headers: request.headers, body })
      response.on('close', () => {
        if (!response.writableFinished) made.left++
      })
      handle(response, requests.length, request)
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  ends.push(
    () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  )
  const made: FetchServer = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, left: 0 }
  return made
}

/** Waits until something is true of the world outside the process's own turn. */
export async function eventually(isSo: () => boolean): Promise<void> {
  for (let turn = 0; !isSo() && turn < 2_000; turn++) await new Promise((resolve) => setTimeout(resolve, 2))
}
