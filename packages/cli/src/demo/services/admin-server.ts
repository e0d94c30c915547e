import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isFault } from '../faults.ts'
import { parseJson, readText } from './exchange.ts'
import type { Service } from './http-service.ts'

export interface AdminServer {
  readonly url: string
  close(): Promise<void>
}

/**
 * The demo's own door to a service, on a port of its own so that an outage does not close it and its requests are not counted:
 * `POST /__demo/faults` with a fault as JSON, or `null` for none; `GET /__demo/stats`.
 */
export async function startAdminServer(service: Service, port = 0): Promise<AdminServer> {
  const server = createServer((request, response) => void answer(request, response, service))
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => close(server) }
}

async function answer(request: IncomingMessage, response: ServerResponse, service: Service): Promise<void> {
  const route = `${request.method} ${request.url}`
  if (route === 'GET /__demo/stats') return send(response, 200, service.stats())
  if (route !== 'POST /__demo/faults') return send(response, 404, { error: `nothing at ${route}` })
  const fault = parseJson(await readText(request))
  if (fault !== null && !isFault(fault)) return send(response, 400, { error: 'not a fault' })
  await service.setFault(fault ?? undefined)
  send(response, 200, { fault })
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}
