import { ServerResponse, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { answerHeaders, headerValue } from './headers.ts'
import type { SwitchedAnswer } from './switched-answer.ts'

/** A response for a request that Node has handed over together with its connection. The connection ends with it. */
export function responseOn(request: IncomingMessage, socket: Socket): ServerResponse {
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  response.assignSocket(socket)
  response.once('finish', () => {
    response.detachSocket(socket)
    socket.destroySoon()
  })
  return response
}

/** The one protocol that a request wants to change to, in lower case; undefined when it names none, or several. */
export function wantedProtocol({ headers }: IncomingMessage): string | undefined {
  const wanted = headers.upgrade?.trim().toLowerCase()
  return wanted === undefined || wanted === '' || wanted.includes(',') ? undefined : wanted
}

/**
 * The head of a request without its wish to change the protocol, which a server may pass over (RFC 9110 §7.8): as bytes, to be read
 * as any other request.
 */
export function headWithoutUpgrade({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  let head = `${method} ${url} HTTP/${httpVersion}\r\n`
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if ((rawHeaders[index] as string).toLowerCase() !== 'upgrade') head += `${rawHeaders[index]}: ${rawHeaders[index + 1]}\r\n`
  }
  return Buffer.from(`${head}\r\n`, 'latin1')
}

const lineOfText = /^[\t\u0020-\u007e\u0080-\u00ff]*$/

/**
 * The head of an upstream's 101 as it goes to the client.
 * @throws when it could be read as something else.
 */
export function switchingHead(answer: SwitchedAnswer, added: readonly string[]): Buffer {
  const headers = [
    'connection',
    'upgrade',
    'upgrade',
    headerValue(answer.rawHeaders, 'upgrade') ?? 'websocket',
    ...answerHeaders(answer.rawHeaders),
    ...added,
  ]
  let head = 'HTTP/1.1 101 Switching Protocols\r\n'
  for (let index = 0; index < headers.length; index += 2) {
    const value = headers[index + 1] as string
    if (!lineOfText.test(value)) throw new Error('the upstream sent a header that cannot be passed on')
    head += `${headers[index]}: ${value}\r\n`
  }
  return Buffer.from(`${head}\r\n`, 'latin1')
}
