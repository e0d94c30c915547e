import type { Duplex } from 'node:stream'
import type { Call } from 'holdfast'
import type { Dispatcher } from 'undici'
import { Answer, UpstreamFailure, type BodySource } from './answer.ts'
import type { Route } from './route.ts'
import { SwitchedAnswer } from './switched-answer.ts'
import type { AttemptTrace } from './tracing.ts'

export interface ExchangeRequest {
  readonly path: string
  readonly method: string
  readonly headers: readonly string[]
  readonly body: Buffer | NodeJS.ReadableStream | null
  /** The protocol to change to, such as `websocket`. */
  readonly upgrade?: string
}

/** One request to an upstream and its answer: one attempt. */
export class Exchange implements BodySource {
  private readonly route: Route
  private readonly call: Call
  private readonly trace: AttemptTrace | undefined
  private abort: ((error: Error) => void) | undefined = undefined
  private resumeSocket: (() => void) | undefined = undefined
  private answer: Answer | undefined = undefined
  private settleHead: { resolve: (answer: Answer) => void; reject: (error: unknown) => void } | undefined = undefined
  private settleBody: { resolve: () => void; reject: (error: unknown) => void } | undefined = undefined
  private cancelled: Error | undefined = undefined
  private discarded = false
  private open = true

  constructor(route: Route, call: Call, trace: AttemptTrace | undefined) {
    this.route = route
    this.call = call
    this.trace = trace
  }

  /** Resolves with the head of the answer; the call's work ends with its body. */
  send(request: ExchangeRequest): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.settleHead = { resolve, reject }
      this.route.connections.openRequests++
      this.call.onCancel(this)
      const { connections } = this.route
      const pool = request.upgrade === undefined ? connections.pool : connections.tunnelPool
      try {
        pool.dispatch(request as unknown as Dispatcher.DispatchOptions, this)
      } catch (error) {
        this.onError(error as Error)
      }
    })
  }

  /** The caller has left, or the time is up. */
  cancel(reason: unknown): void {
    this.cancelled = reason instanceof Error ? reason : new Error('cancelled')
    this.abort?.(this.cancelled)
  }

  resume(): void {
    this.resumeSocket?.()
  }

  discard(): void {
    this.discarded = true
    this.abort?.(new Error('the answer is not wanted'))
  }

  // what undici calls, in this order

  onConnect(abort: (error: Error) => void): void {
    this.abort = abort
    if (this.cancelled !== undefined) abort(this.cancelled)
  }

  onHeaders(status: number, rawHeaders: readonly Buffer[], resume: () => void, statusText: string): boolean {
    if (status < 200) return true
    this.resumeSocket = resume
    this.answered(new Answer(status, statusText, rawHeaders.map(latin1), this))
    return true
  }

  onUpgrade(_status: number, rawHeaders: readonly (Buffer | string)[] | null, socket: Duplex): void {
    this.abort = (error) => socket.destroy(error)
    const headers = (rawHeaders ?? []).map((text) => (typeof text === 'string' ? text : latin1(text)))
    this.answered(new SwitchedAnswer(headers, socket, this, (error) => (error === undefined ? this.onComplete() : this.onError(error))))
  }

  onData(chunk: Buffer): boolean {
    return this.answer?.push(chunk) ?? true
  }

  onComplete(): void {
    this.finish(undefined)
    this.answer?.end()
    this.settleBody?.resolve()
  }

  onError(error: Error): void {
    this.finish(error)
    if (this.answer === undefined) {
      this.settleHead?.reject(error)
      return
    }
    this.answer.fail(error)
    if (this.discarded) this.settleBody?.resolve()
    else this.settleBody?.reject(error)
  }

  private answered(answer: Answer): void {
    const { call, route } = this
    this.answer = answer
    call.until(
      new Promise<void>((resolve, reject) => {
        this.settleBody = { resolve, reject }
      }),
    )
    const judgement = route.judge(answer)
    if (judgement === undefined) this.settleHead?.resolve(answer)
    else this.settleHead?.reject(new UpstreamFailure(route.settings.name, answer, judgement))
  }

  private finish(error: Error | undefined): void {
    if (!this.open) return
    this.open = false
    this.route.connections.openRequests--
    this.call.offCancel(this)
    this.trace?.end(this.answer?.status, this.discarded ? undefined : error)
  }
}

function latin1(text: Buffer): string {
  return text.toString('latin1')
}
