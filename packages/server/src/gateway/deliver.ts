import type { ServerResponse } from 'node:http'
import type { Answer, BodyReceiver } from './answer.ts'
import { answerHeaders } from './headers.ts'

/** Sends an answer to the client as it comes; asks the upstream to wait while the client is slow. */
export function deliver(
  answer: Answer,
  response: ServerResponse,
  added: readonly string[],
  done: (bytes: number, error: Error | undefined) => void,
): void {
  if (response.destroyed) {
    answer.discard()
    done(0, new Error('the client has left'))
    return
  }
  response.writeHead(answer.status, answer.statusText, [...answerHeaders(answer.rawHeaders), ...added])
  response.flushHeaders()
  answer.deliverTo(new Delivery(answer, response, done))
}

class Delivery implements BodyReceiver {
  private readonly answer: Answer
  private readonly response: ServerResponse
  private readonly done: (bytes: number, error: Error | undefined) => void
  private bytes = 0
  private waiting = false
  private over = false

  constructor(answer: Answer, response: ServerResponse, done: (bytes: number, error: Error | undefined) => void) {
    this.answer = answer
    this.response = response
    this.done = done
    response.once('close', () => this.finish(new Error('the client has left')))
  }

  data(chunk: Buffer): boolean {
    if (this.over) return true
    this.bytes += chunk.length
    if (this.response.write(chunk)) return true
    if (!this.waiting) {
      this.waiting = true
      this.response.once('drain', () => {
        this.waiting = false
        this.answer.resume()
      })
    }
    return false
  }

  end(): void {
    if (this.over) return
    this.response.end()
    this.finish(undefined)
  }

  /** The upstream died in the middle: the client must not take what it has for the whole. */
  fail(error: Error): void {
    if (this.over) return
    this.finish(error)
    this.response.destroy()
  }

  private finish(error: Error | undefined): void {
    if (this.over) return
    this.over = true
    this.done(this.bytes, error)
  }
}
