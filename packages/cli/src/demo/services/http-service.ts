import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FaultState } from '../faults.ts'
import { deliver, fateOf, outcomeOf, sendJson } from './delivery.ts'
import { exchange, parseJson, questionOf, readText, type Answer, type Exchange, type JsonAnswer } from './exchange.ts'
import { occurrences } from './occurrences.ts'
import { QuotaBucket } from './quota-bucket.ts'
import { RequestLife } from './request-life.ts'
import { StatsCounter, type ServiceStats } from './service-stats.ts'

/** A dependency of the demo that listens on loopback. */
export interface Service {
  readonly url: string
  /** Takes effect for requests that arrive from now on; `refuse` also breaks those that run. */
  setFault(fault: FaultState): Promise<void>
  stats(): ServiceStats
  close(): Promise<void>
}

export interface ServiceOptions {
  /** Decides latencies, and which requests meet a fault. */
  readonly seed: number
  /** @defaultValue 0, a free one */
  readonly port?: number
  /** Multiplies every latency; tests use a small one. @defaultValue 1 */
  readonly timeScale?: number
}

export interface ServiceBehaviour {
  handle(exchange: Exchange): Promise<Answer>
  /** Tells the steps of one task apart that use the same path. */
  stepOf?(body: unknown): string
  /** The error format of this kind of service. */
  readonly errorBody: (code: string, message: string) => unknown
  extra?(): Readonly<Record<string, number>>
  close?(): void
}

const maxQuestionsRemembered = 20_000
/** An outage takes a moment to be noticed even by the one who has it. */
const outageErrorMs = 20

/** Everything that services of the demo have in common: faults, luck by seed, figures, and an end. */
export async function startService(behaviour: ServiceBehaviour, options: ServiceOptions): Promise<Service> {
  const service = new HttpService(behaviour, options)
  await service.listen(options.port ?? 0)
  return service
}

class HttpService implements Service {
  url = ''
  private readonly behaviour: ServiceBehaviour
  private readonly seed: number
  private readonly timeScale: number
  private readonly counter = new StatsCounter()
  private healthChecks = 0
  private readonly asked = occurrences(maxQuestionsRemembered)
  private server: Server | undefined
  private port = 0
  private fault: FaultState = undefined
  private limit: QuotaBucket | undefined = undefined

  constructor(behaviour: ServiceBehaviour, options: ServiceOptions) {
    this.behaviour = behaviour
    this.seed = options.seed
    this.timeScale = options.timeScale ?? 1
  }

  async listen(port: number): Promise<void> {
    const server = createServer((request, response) => void this.serve(request, response))
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    this.server = server
    this.port = (server.address() as AddressInfo).port
    this.url = `http://127.0.0.1:${this.port}`
  }

  async setFault(fault: FaultState): Promise<void> {
    this.fault = fault
    this.limit = fault?.kind === 'rate-limit' ? new QuotaBucket({ perSecond: fault.perSecond }) : undefined
    const refuses = fault?.kind === 'outage' && fault.mode === 'refuse'
    if (refuses) await this.closePort()
    else if (this.server === undefined) await this.listen(this.port)
  }

  stats(): ServiceStats {
    return this.counter.read({ healthChecks: this.healthChecks, ...this.behaviour.extra?.() })
  }

  async close(): Promise<void> {
    await this.closePort()
    this.behaviour.close?.()
  }

  private async closePort(): Promise<void> {
    const { server } = this
    if (server === undefined) return
    this.server = undefined
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === '/health') return this.answerHealth(response)
    const life = new RequestLife(response, this.counter)
    const { fault, limit } = this
    try {
      const current = await this.understand(request, life, fault)
      const answer = (await this.turnAway(current, fault, limit)) ?? (await this.behaviour.handle(current))
      const fate = fateOf(fault, current.draw('fault'))
      life.expect(outcomeOf(answer, fate))
      if (!life.gone.aborted) await deliver(response, answer, fate, current)
    } catch (error) {
      if (life.gone.aborted) return
      const failure: JsonAnswer = {
        status: error instanceof RangeError ? 413 : 500,
        body: this.behaviour.errorBody('internal_error', String(error)),
      }
      life.expect(outcomeOf(failure, 'whole'))
      if (response.headersSent) response.destroy()
      else sendJson(response, failure)
    }
  }

  /** Health checks are counted apart: they are no work, and only one of the lanes has them. */
  private answerHealth(response: ServerResponse): void {
    this.healthChecks++
    const { fault } = this
    const isDown = fault !== undefined && 'share' in fault && fault.share === 1
    if (isDown && fault.kind === 'stall') return
    if (isDown && fault.kind === 'outage' && fault.mode === 'reset') response.socket?.resetAndDestroy()
    else sendJson(response, { status: isDown && fault.kind === 'outage' ? 503 : 200, body: { status: isDown ? 'fail' : 'pass' } })
  }

  private async understand(request: IncomingMessage, life: RequestLife, fault: FaultState): Promise<Exchange> {
    const text = await readText(request)
    const body = parseJson(text)
    const url = new URL(request.url ?? '/', this.url)
    const question = questionOf(request, url.pathname, text, this.behaviour.stepOf?.(body) ?? '')
    const repetition = this.asked.count(question)
    if (repetition > 1) this.counter.repeat()
    const slowness = this.timeScale * (fault?.kind === 'slow' ? fault.factor : 1)
    return exchange({ request, url, body, life, seed: this.seed, question, repetition, slowness })
  }

  /** The answer of a service that is down, or that has a limit put on it. */
  private async turnAway(current: Exchange, fault: FaultState, limit: QuotaBucket | undefined): Promise<Answer | undefined> {
    if (fault?.kind === 'outage' && fault.mode === 'error' && current.draw('fault') < fault.share) {
      await current.work(outageErrorMs)
      return { status: 503, body: this.behaviour.errorBody('unavailable', 'the service is down') }
    }
    const quota = limit?.take(1)
    return quota?.granted === false ? tooManyRequests(quota.retryAfterMs, this.behaviour.errorBody) : undefined
  }
}

/** 429 with Retry-After in whole seconds, as most services send it; never less than 1. */
export function tooManyRequests(retryAfterMs: number, errorBody: ServiceBehaviour['errorBody']): JsonAnswer {
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1_000))
  return {
    status: 429,
    headers: { 'retry-after': String(seconds) },
    body: errorBody('rate_limit_exceeded', `too many requests, try again in ${seconds} s`),
  }
}
