import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { endAndLinger } from './linger.ts'
import { ownAnswerBody, type OwnAnswer } from './refusal-answer.ts'

/** An own answer as bytes, for a connection that no HTTP request stands behind. The connection ends with it. */
function rawAnswer(answer: OwnAnswer): string {
  const body = ownAnswerBody(answer, undefined)
  const retryAfter = answer.retryAfterMs === undefined ? '' : `retry-after: ${Math.ceil(answer.retryAfterMs / 1_000)}\r\n`
  return (
    `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}\r\n` +
    `content-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\ncache-control: no-store\r\n` +
    `x-holdfast-cause: ${answer.cause}\r\n${retryAfter}connection: close\r\n\r\n${body}`
  )
}

/** Answers a connection by itself and ends it. */
export function answerRaw(socket: Socket, answer: OwnAnswer): void {
  if (socket.destroyed) return
  socket.on('error', () => undefined)
  if (socket.writable) socket.write(rawAnswer(answer))
  endAndLinger(socket)
}
