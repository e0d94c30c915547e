import { serverHint, type Clock, type Policy, type RateLimiter } from 'holdfast'
import { Pool } from 'undici'
import type { Answer, StatusJudgement } from './answer.ts'

/** What the gateway has to know of an upstream. */
export interface RouteSettings {
  readonly name: string
  /** Base URL; its path is put before the path of every request. */
  readonly url: URL
  /** Headers set on every request, by lower-case name. */
  readonly headers: ReadonlyMap<string, string>
  /** All that protects it. */
  readonly policy: Policy
  /** Paused for all callers when the upstream answers 429. */
  readonly quota: RateLimiter | undefined
  /** Longest pause a 429 can cause, in ms. */
  readonly maxPauseMs: number
  /** Statuses that count as failures for circuit breakers; 429 never does. */
  readonly countsAsFailure: (status: number) => boolean
  /** Statuses after which another attempt may help. */
  readonly worthRetrying: (status: number) => boolean
  /** Methods of requests that may be sent again. */
  readonly repeatable: ReadonlySet<string>
  /** Longest silence in the middle of an answer, in ms. */
  readonly bodyIdleTimeoutMs: number
  readonly connectTimeoutMs: number
  readonly connections: number
  readonly maxBodyBytes: number
  readonly maxHeldBytes: number
  readonly clock: Clock
}

/** An upstream with its connections. */
export class Route {
  readonly settings: RouteSettings
  readonly pool: Pool
  readonly host: string
  readonly basePath: string

  constructor(settings: RouteSettings) {
    this.settings = settings
    this.host = settings.url.host
    this.basePath = settings.url.pathname.replace(/\/+$/, '')
    this.pool = new Pool(settings.url.origin, {
      connections: settings.connections,
      pipelining: 1,
      headersTimeout: 0, // the timeout policies' job
      bodyTimeout: settings.bodyIdleTimeoutMs,
      connect: { timeout: settings.connectTimeoutMs },
    })
  }

  /** Hears of every answer. Undefined when it is good. */
  judge(answer: Answer): StatusJudgement | undefined {
    if (answer.status === 429) this.pauseQuota(answer)
    const { settings } = this
    const countsAsFailure = answer.status !== 429 && settings.countsAsFailure(answer.status)
    const worthRetrying = settings.worthRetrying(answer.status)
    return countsAsFailure || worthRetrying || answer.status === 429 ? { countsAsFailure, worthRetrying } : undefined
  }

  close(): Promise<void> {
    return this.pool.destroy()
  }

  private pauseQuota(answer: Answer): void {
    const { quota, clock, maxPauseMs } = this.settings
    const afterMs = serverHint(answer, clock.wallNow())?.afterMs
    if (quota !== undefined && afterMs !== undefined && afterMs > 0) quota.pause(Math.min(afterMs, maxPauseMs))
  }
}
