import { headerValue } from './headers.ts'

/** Who receives the body of an answer. */
export interface BodyReceiver {
  /** Answers false when it wants no more until it resumes the answer. */
  data(chunk: Buffer): boolean
  end(): void
  fail(error: Error): void
}

/** Where the body comes from. */
export interface BodySource {
  resume(): void
  /** Nobody wants the rest. */
  discard(): void
}

/** What is taken of a body before anyone wants it, in bytes. */
const enoughBytes = 16_384

/** The head of an upstream's answer, and its body to come. */
export class Answer {
  readonly status: number
  readonly statusText: string
  /** Flat: name, value, name, value … */
  readonly rawHeaders: readonly string[]
  private readonly source: BodySource
  private receiver: BodyReceiver | undefined = undefined
  private early: Buffer[] = []
  private earlyBytes = 0
  private over: 'no' | 'ended' | Error = 'no'

  constructor(status: number, statusText: string, rawHeaders: readonly string[], source: BodySource) {
    this.status = status
    this.statusText = statusText
    this.rawHeaders = rawHeaders
    this.source = source
  }

  /** As retry policies read hints. */
  get headers(): { get(name: string): string | undefined } {
    return { get: (name) => headerValue(this.rawHeaders, name) }
  }

  /** Sends the body to whoever delivers it. */
  deliverTo(receiver: BodyReceiver): void {
    this.receiver = receiver
    let wanted = true
    for (const chunk of this.early) wanted = receiver.data(chunk) && wanted
    this.early = []
    if (this.over === 'ended') receiver.end()
    else if (this.over !== 'no') receiver.fail(this.over)
    else if (wanted) this.source.resume()
  }

  resume(): void {
    this.source.resume()
  }

  discard(): void {
    this.early = []
    this.source.discard()
  }

  /** Policies dispose of answers that nobody will see. */
  [Symbol.dispose](): void {
    this.discard()
  }

  /** A piece of the body has come. Answers false when there is enough of it for now. */
  push(chunk: Buffer): boolean {
    if (this.receiver !== undefined) return this.receiver.data(chunk)
    this.early.push(chunk)
    this.earlyBytes += chunk.length
    return this.earlyBytes < enoughBytes // a short answer is complete, and its connection free, before anyone has looked at it
  }

  end(): void {
    this.over = 'ended'
    this.receiver?.end()
  }

  fail(error: Error): void {
    this.over = error
    this.receiver?.fail(error)
  }
}

/** What an upstream's settings say of a status. */
export interface StatusJudgement {
  /** The circuit breaker counts it. */
  readonly countsAsFailure: boolean
  /** Another attempt may help. */
  readonly worthRetrying: boolean
}

/**
 * An answer whose status means that there is none worth having. Retry and breaker see it as an error; the client still gets it
 * as it is, when nothing better comes.
 */
export class UpstreamFailure extends Error {
  readonly answer: Answer
  readonly status: number
  readonly judgement: StatusJudgement
  constructor(upstream: string, answer: Answer, judgement: StatusJudgement) {
    super(`${upstream} answered ${answer.status}`)
    this.answer = answer
    this.status = answer.status
    this.judgement = judgement
  }
  get headers(): { get(name: string): string | undefined } {
    return this.answer.headers
  }

  [Symbol.dispose](): void {
    this.answer.discard()
  }
}
Object.defineProperty(UpstreamFailure.prototype, 'name', { value: 'UpstreamFailure' })

/** An answer that comes from nowhere but the configuration. */
export function fixedAnswer(status: number, rawHeaders: readonly string[], body: Buffer): Answer {
  const answer = new Answer(status, '', [...rawHeaders, 'content-length', String(body.length)], { resume() {}, discard() {} })
  if (body.length > 0) answer.push(body)
  answer.end()
  return answer
}
