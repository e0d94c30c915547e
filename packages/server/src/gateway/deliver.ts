import { STATUS_CODES, type ServerResponse } from 'node:http'
import type { Answer, BodyReceiver } from './answer.ts'
import { answerHeaders } from './headers.ts'

/** The client has gone, or takes nothing any more. */
export class ClientLeft extends Error {
  readonly why: 'client-left' | 'client-stalled'
  constructor(why: 'client-left' | 'client-stalled' = 'client-left') {
    super('the client has left')
    this.why = why
  }
}

export interface DeliveryOptions {
  /** Headers besides those of the answer: flat name, value … */
  readonly added: readonly string[]
  /** Longest time in which the client may take nothing, in ms. */
  readonly clientIdleTimeoutMs: number
  readonly done: (bytes: number, error: Error | undefined) => void
}

/**
 * Sends an answer to the client as it comes; asks the upstream to wait while the client is slow.
 * @throws when the head of the answer cannot be sent on: nothing has gone out then, and the answer is still to be discarded.
 */
export function deliver(answer: Answer, response: ServerResponse, options: DeliveryOptions): void {
  if (response.destroyed) {
    answer.discard()
    options.done(0, new ClientLeft())
    return
  }
  response.writeHead(answer.status, answer.statusText || STATUS_CODES[answer.status] || '', [
    ...answerHeaders(answer.rawHeaders),
    ...options.added,
  ])
  const delivery = new Delivery(answer, response, options)
  answer.deliverTo(delivery)
  if (!delivery.hasBegun) response.flushHeaders() // else the head has gone out with the first piece of the body, in one packet
}

class Delivery implements BodyReceiver {
  private readonly answer: Answer
  private readonly response: ServerResponse
  private readonly options: DeliveryOptions
  private bytes = 0
  private waiting = false
  private over = false
  private stall: NodeJS.Timeout | undefined = undefined

  constructor(answer: Answer, response: ServerResponse, options: DeliveryOptions) {
    this.answer = answer
    this.response = response
    this.options = options
    response.once('close', () => {
      if (!this.over) this.finish(new ClientLeft())
    })
  }

  /** Whether anything of the body, or its end, has come. */
  get hasBegun(): boolean {
    return this.bytes > 0 || this.over
  }

  data(chunk: Buffer): boolean {
    if (this.over) return true
    this.bytes += chunk.length
    if (this.response.write(chunk)) return true
    if (!this.waiting) {
      this.waiting = true
      this.watchStall()
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

  /** A client that takes nothing would hold its place, and the upstream's connection, for ever. */
  private watchStall(): void {
    if (this.stall !== undefined) {
      this.stall.refresh()
      return
    }
    this.stall = setTimeout(() => {
      if (!this.waiting) return
      this.finish(new ClientLeft('client-stalled'))
      this.response.destroy()
    }, this.options.clientIdleTimeoutMs)
    this.stall.unref()
  }

  private finish(error: Error | undefined): void {
    if (this.over) return
    this.over = true
    clearTimeout(this.stall)
    this.options.done(this.bytes, error)
  }
}
