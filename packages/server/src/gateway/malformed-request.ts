import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { answerRaw } from './raw-answer.ts'
import type { OwnAnswer } from './refusal-answer.ts'

/** Answers what is no proper HTTP request, or does not become one in time, in the gateway's own words, and ends the connection. */
export function answerMalformed(server: Server, onAnswer: (answer: OwnAnswer, socket: Socket) => void): void {
  const done = new WeakSet<Socket>()
  server.on('clientError', (error: NodeJS.ErrnoException, duplex) => {
    const socket = duplex as Socket
    if (done.has(socket)) return
    done.add(socket)
    // half an answer must not be followed by another one
    const current = Reflect.get(socket, '_httpMessage') as ServerResponse | null | undefined
    if (!socket.writable || current?.headersSent === true || error.code === 'ECONNRESET') {
      socket.destroy()
      return
    }
    const answer = describe(error)
    onAnswer(answer, socket)
    answerRaw(socket, answer)
  })
  server.on('connect', (_request, duplex) => {
    const socket = duplex as Socket
    const answer: OwnAnswer = { status: 405, cause: 'bad-request', message: 'CONNECT is not served: the gateway chooses where requests go' }
    onAnswer(answer, socket)
    answerRaw(socket, answer)
  })
}

function describe(error: NodeJS.ErrnoException): OwnAnswer {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return { status: 431, cause: 'headers-too-large', message: 'the headers of the request exceed 16 KiB' }
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return { status: 413, cause: 'body-too-large', message: 'the chunk extensions of the request are too large' }
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: 408, cause: 'request-timeout', message: 'the request did not arrive in time' }
    default:
      return { status: 400, cause: 'bad-request', message: 'the request is malformed' }
  }
}
