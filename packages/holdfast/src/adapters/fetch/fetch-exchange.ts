import { abortReason, listenAbort, unlistenAbort, type Abortable } from '../../core/abort-hub.ts'
import type { Call } from '../../core/call.ts'
import { FailedResponse } from './failed-response.ts'
import type { SendableRequest } from './fetch-request.ts'
import { saysQuotaExhausted } from './quota-check.ts'
import { wasNeverSent, wasNotWorkedOn } from './repeatable.ts'
import type { FetchRules } from './resilient-fetch.ts'
import { UsageReader } from './usage-reader.ts'
import { watchResponse, type BodyWatcher } from './watched-response.ts'

/** One call of fetch with all its attempts. */
export class FetchExchange {
  private readonly rules: FetchRules
  private readonly request: SendableRequest
  /** Failures whose bodies nobody has read. */
  private readonly failures = new Set<FailedResponse>()

  constructor(rules: FetchRules, request: SendableRequest) {
    this.rules = rules
    this.request = request
  }

  /** One attempt. */
  readonly attempt = async (call: Call): Promise<Response> => {
    const { limiter } = this.rules
    if (this.rules.keptBytes > 0) await this.request.keepStream(this.rules.keptBytes)
    if (this.isOnce) call.doNotRetry() // from now on, whatever becomes of it: it may time out
    const sent = limiter?.markSent({ call })
    const connection = new Connection(call)
    const response = await this.answer(call, connection)
    if (sent !== undefined) limiter?.learnFrom(response, { call, sent })
    if (!this.rules.isFailure(response, this.request)) return this.pass(response, call, connection)
    const failure = await this.failed(response, call, connection)
    connection.leave()
    throw failure
  }

  /** What the caller gets in the end. */
  succeed<T>(answer: T): T {
    this.discardFailures()
    this.request.close()
    return answer
  }

  /** A failed answer is an answer to the caller; anything else that went wrong is thrown as it is. */
  fail(error: unknown): Response {
    const isOurs = error instanceof FailedResponse && this.failures.delete(error)
    this.discardFailures()
    this.request.close()
    if (!isOurs) throw error
    return afterwards(error, this.request.signal)
  }

  private async answer(call: Call, connection: Connection): Promise<Response> {
    const { deadlineHeader, fetch } = this.rules
    const remainingMs = call.remainingMs()
    const extra =
      deadlineHeader === undefined || remainingMs === Infinity ? [] : [[deadlineHeader, String(Math.floor(remainingMs))] as const]
    try {
      const response = await fetch(...this.request.send(connection.signal, extra))
      if (call.cancelled !== undefined && response.body !== null) response.body.cancel().catch(() => undefined) // came too late for its caller
      return response
    } catch (error) {
      connection.leave()
      if (this.isOnce && this.request.isSendable && wasNeverSent(error)) call.allowRetry()
      throw error
    }
  }

  private async failed(response: Response, call: Call, connection: Connection): Promise<FailedResponse> {
    const isExhausted = await saysQuotaExhausted(response)
    const failure = new FailedResponse(response, connection)
    this.failures.add(failure)
    if (isExhausted) call.doNotRetry()
    else if (this.isOnce && this.request.isSendable && wasNotWorkedOn(response)) call.allowRetry()
    return failure
  }

  /** Whether it must not be sent twice, or cannot be. */
  private get isOnce(): boolean {
    return this.request.isStream || !this.rules.isRepeatable(this.request)
  }

  /** The caller has the answer at once; the call ends with its body. */
  private pass(response: Response, call: Call, connection: Connection): Response {
    if (response.body === null) {
      connection.leave()
      return response
    }
    const usage = this.rules.readUsage ? new UsageReader() : undefined
    let end: BodyWatcher['ended'] = () => {}
    call.until(
      new Promise<void>((resolve, reject) => {
        end = (failure) => (failure === undefined ? resolve() : reject(failure.error))
      }),
    )
    const watched = watchResponse(response, {
      ended: (failure) => {
        connection.leave()
        end(failure)
      },
      ...(usage === undefined ? {} : { read: (chunk: Uint8Array) => usage.add(chunk) }),
    })
    usage?.belongsTo(watched)
    return watched
  }

  private discardFailures(): void {
    for (const failure of this.failures) failure[Symbol.dispose]()
    this.failures.clear()
  }
}

/** Cancels what fetch does when its call is cancelled. fetch never sees the caller's own signal, on which it leaves listeners. */
class Connection implements Abortable {
  private readonly call: Call
  private readonly controller = new AbortController()

  constructor(call: Call) {
    this.call = call
    call.onCancel(this)
  }

  get signal(): AbortSignal {
    return this.controller.signal
  }

  cancel(reason: unknown): void {
    this.controller.abort(reason)
  }

  leave(): void {
    this.call.offCancel(this)
  }
}

/** An answer that the policies are done with: the caller's signal still ends its body, as with fetch. */
function afterwards({ response, connection }: FailedResponse, signal: AbortSignal | undefined): Response {
  if (signal === undefined || response.body === null) return response
  if (signal.aborted) connection.cancel(abortReason(signal))
  else listenAbort(signal, connection)
  return watchResponse(response, { ended: () => unlistenAbort(signal, connection) })
}
