import { serverHint, statusOf, type Clock, type Policy, type RateLimiter } from 'holdfast'
import { Pool } from 'undici'
import type { Answer } from './answer.ts'

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
  /** Statuses that policies see as failures. */
  readonly isFailure: (status: number) => boolean
  /** Whether requests that are not idempotent by their method may be sent again. */
  readonly replayAlways: boolean
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

  /** Hears of every status an upstream answers with; whether it is a failure for the policies. */
  judge(answer: Answer): boolean {
    if (answer.status === 429) {
      this.pauseQuota(answer)
      return true
    }
    return this.settings.isFailure(answer.status)
  }

  /** For circuit breakers: a 429 or a refused request says nothing about whether the upstream works. */
  countsAsFailure(error: unknown): boolean {
    const status = statusOf(error)
    return status === undefined || (status !== 429 && this.settings.isFailure(status))
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
