import type { Call } from 'holdfast'
import type { Dispatcher, Pool } from 'undici'
import { Answer, UpstreamFailure, type BodySource, type StatusJudgement } from './answer.ts'

export interface ExchangeRequest {
  readonly path: string
  readonly method: string
  readonly headers: string[]
  readonly body: Buffer | NodeJS.ReadableStream | null
}

/** One request to an upstream and its answer: one attempt. */
export class Exchange implements BodySource {
  readonly upstream: string
  private readonly call: Call
  private readonly judge: (answer: Answer) => StatusJudgement | undefined
  private abort: ((error: Error) => void) | undefined = undefined
  private resumeSocket: (() => void) | undefined = undefined
  private answer: Answer | undefined = undefined
  private settleHead: { resolve: (answer: Answer) => void; reject: (error: unknown) => void } | undefined = undefined
  private settleBody: { resolve: () => void; reject: (error: unknown) => void } | undefined = undefined
  private cancelled: Error | undefined = undefined
  private discarded = false

  constructor(upstream: string, call: Call, judge: (answer: Answer) => StatusJudgement | undefined) {
    this.upstream = upstream
    this.call = call
    this.judge = judge
  }

  /** Resolves with the head of the answer; the call's work ends with its body. */
  send(pool: Pool, request: ExchangeRequest): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.settleHead = { resolve, reject }
      this.call.onCancel(this)
      pool.dispatch(request as unknown as Dispatcher.DispatchOptions, this)
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
    const answer = new Answer(status, statusText, rawHeaders.map(latin1), this)
    this.answer = answer
    this.call.until(
      new Promise<void>((resolve, reject) => {
        this.settleBody = { resolve, reject }
      }),
    )
    const judgement = this.judge(answer)
    if (judgement === undefined) this.settleHead?.resolve(answer)
    else this.settleHead?.reject(new UpstreamFailure(this.upstream, answer, judgement))
    return true
  }

  onData(chunk: Buffer): boolean {
    return this.answer?.push(chunk) ?? true
  }

  onComplete(): void {
    this.call.offCancel(this)
    this.answer?.end()
    this.settleBody?.resolve()
  }

  onError(error: Error): void {
    this.call.offCancel(this)
    if (this.answer === undefined) {
      this.settleHead?.reject(error)
      return
    }
    this.answer.fail(error)
    if (this.discarded) this.settleBody?.resolve()
    else this.settleBody?.reject(error)
  }
}

function latin1(text: Buffer): string {
  return text.toString('latin1')
}
