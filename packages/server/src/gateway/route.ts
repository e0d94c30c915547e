import { serverHint, type Clock, type Policy, type RateLimiter } from 'holdfast'
import type { Answer, StatusJudgement } from './answer.ts'
import type { ForwardingStyle } from './forwarding.ts'
import { UpstreamConnections } from './upstream-connections.ts'
import type { PriorityRule } from './request-priority.ts'
import type { UpstreamTls } from './upstream-tls.ts'

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
  /** HTTP/2, if the upstream agrees to it (ALPN); else HTTP/1.1. @defaultValue false */
  readonly http2?: boolean
  readonly tls?: UpstreamTls
  /** Lower-case protocols a client may change to. @defaultValue none */
  readonly upgrades?: ReadonlySet<string>
  /** Longest silence in both directions of a tunnel, in ms. @defaultValue 300_000 */
  readonly tunnelIdleTimeoutMs?: number
  /** @defaultValue 'x-forwarded' */
  readonly forwarding?: ForwardingStyle
  /** Lower-case name of the header that tells the upstream how many ms are left. @defaultValue none */
  readonly deadlineHeader?: string | undefined
  /** @defaultValue 'normal' */
  readonly priority?: PriorityRule
}

/** An upstream with its connections. */
export class Route {
  readonly settings: RouteSettings
  readonly connections: UpstreamConnections
  readonly host: string
  readonly basePath: string
  /** Lower-case names of headers that an upstream gets from the gateway, not from the client. */
  readonly replacedHeaders: ReadonlySet<string>

  /** `connections` are those of an earlier route to the same upstream. */
  constructor(settings: RouteSettings, connections: UpstreamConnections = new UpstreamConnections(settings)) {
    this.settings = settings
    this.connections = connections
    this.host = settings.url.host
    this.basePath = settings.url.pathname.replace(/\/+$/, '')
    this.replacedHeaders = new Set([
      ...settings.headers.keys(),
      ...(settings.deadlineHeader === undefined ? [] : [settings.deadlineHeader]),
    ])
  }

  /** Hears of every answer. Undefined when it is good. */
  judge(answer: Answer): StatusJudgement | undefined {
    const { status } = answer
    if (status === 429) this.pauseQuota(answer)
    const { settings } = this
    const countsAsFailure = status !== 429 && settings.countsAsFailure(status)
    const worthRetrying = settings.worthRetrying(status) || (status >= 400 && answer.headers.get('x-should-retry') === 'true')
    return countsAsFailure || worthRetrying || status === 429 ? { countsAsFailure, worthRetrying } : undefined
  }

  private pauseQuota(answer: Answer): void {
    const { quota, clock, maxPauseMs } = this.settings
    const afterMs = serverHint(answer, clock.wallNow())?.afterMs
    if (quota !== undefined && afterMs !== undefined && afterMs > 0) quota.pause(Math.min(afterMs, maxPauseMs))
  }
}
