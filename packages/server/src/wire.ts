/**
 * What the control listener sends to its page, and to anybody else who reads `/events` and `/api/v1`: plain JSON. Instants are
 * epoch ms, durations ms, ratios 0..1; null where there is nothing to tell.
 */

/** What stands on a ribbon. `passing`: nothing that could open stands before this dependency. */
export type RibbonState = 'closed' | 'half-open' | 'open' | 'isolated' | 'disabled' | 'paused' | 'passing'

export type HealthStatus = 'pass' | 'warn' | 'fail' | 'unknown'

/** A state that a person set. */
export interface ForcedView {
  readonly action: 'force-open' | 'isolate' | 'disable'
  readonly reason: string
  readonly by: string
  readonly at: number
  /** Null: until somebody takes it back. */
  readonly expiresAt: number | null
}

/** A dependency that somebody has told us not to worry about for a while. */
export interface SilenceView {
  readonly reason: string
  readonly by: string
  readonly at: number
  readonly expiresAt: number
}

/** The last minute of one dependency (rates and ratio: 55 to 60 s, percentiles: 45 to 60 s). */
export interface RecentFigures {
  /** Requests of clients that ended, per second. */
  readonly callsPerSecond: number
  /** Requests that the dependency answered well / all that ended and that no client had given up; null without any. A fallback's answer is none of them. */
  readonly successRatio: number | null
  /** Of whole requests. */
  readonly p50Ms: number | null
  readonly p95Ms: number | null
  readonly p99Ms: number | null
}

/** One row of the wall: an upstream of the gateway with all that protects it. */
export interface DependencyView {
  readonly name: string
  /** Origin and base path; never credentials. */
  readonly url: string
  readonly state: RibbonState
  readonly since: number
  readonly forced: ForcedView | null
  readonly silence: SilenceView | null
  readonly health: { readonly status: HealthStatus; readonly reason: string | null }
  /** When an open circuit lets the next probe in. */
  readonly nextAttemptAt: number | null
  /** When the pause that the provider asked for is over. */
  readonly pausedUntil: number | null
  readonly recent: RecentFigures
  readonly running: number
  readonly queued: number
  /** Since the start of the server. */
  readonly totals: Totals
  /** Ids of the policies in its pipeline, outermost first. */
  readonly policies: readonly string[]
}

/** Counters since the start of the server. */
export interface Totals {
  /** Requests of clients that ended. */
  readonly requests: number
  readonly succeeded: number
  readonly failed: number
  /** Answered by the gateway itself without asking: open circuit, limit, full queue … */
  readonly refused: number
  /** Answered by a fallback. */
  readonly fallback: number
  /** Given up by the client. */
  readonly cancelled: number
  /** Requests sent to the dependency; every attempt counts. */
  readonly attempts: number
  readonly attemptFailures: number
}

export interface PolicyView {
  /** `kind/name`. */
  readonly id: string
  readonly name: string
  readonly kind: string
  readonly state: RibbonState
  readonly since: number | null
  readonly forced: ForcedView | null
  readonly health: { readonly status: HealthStatus; readonly reason: string | null }
  /** Figures by name, as the policy's `status()` has them, without those that only count the time. */
  readonly status: Readonly<Record<string, unknown>>
  /** Dependencies whose pipelines it stands in. */
  readonly dependencies: readonly string[]
  /** Actions that `POST /api/v1/policies/:id` takes. */
  readonly actions: readonly string[]
}

export interface EventView {
  /** Grows by 1 from event to event, over restarts of the server too. */
  readonly id: number
  readonly type: string
  /** Id of the policy, or what else it is about. */
  readonly policy: string
  readonly at: number
  /** `repeats`: so many more of its type and policy happened since the one before and are not listed. */
  readonly data: Readonly<Record<string, unknown>>
}

/** One problem of a configuration, as text with its place. */
export interface ProblemView {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly path: string
  readonly message: string
}

export interface ConfigView {
  /** Counts the configurations this server has run with, from 1. */
  readonly generation: number
  readonly loadedAt: number
  readonly files: readonly string[]
  readonly lastReload: {
    readonly at: number
    readonly trigger: 'start' | 'watch' | 'signal' | 'api'
    readonly ok: boolean
    /** What a refused file holds; the earlier configuration goes on. */
    readonly problems: readonly ProblemView[]
    /** Settings that differ from those before, by path. Secrets appear as `***`. */
    readonly changes: readonly { readonly path: string; readonly before: string | null; readonly after: string | null }[]
    /** Changed settings that only a restart brings into force. */
    readonly needsRestart: readonly string[]
  }
}

export interface ServerView {
  readonly version: string
  readonly startedAt: number
  readonly phase: 'starting' | 'serving' | 'draining'
  readonly gatewayUrl: string
  readonly health: { readonly status: HealthStatus; readonly summary: string; readonly ready: boolean; readonly reasons: readonly string[] }
  /** Of the whole gateway. */
  readonly inFlight: number
}

/** All that is known now. Maps are keyed by name or id. */
export interface LiveState {
  readonly server: ServerView
  readonly config: ConfigView
  readonly dependencies: Readonly<Record<string, DependencyView>>
  readonly policies: Readonly<Record<string, PolicyView>>
  /** Only of a server that runs the demonstration. */
  readonly demo?: unknown
}

/** First message of `/events`, of type `snapshot`. The id of a message is `<run>:<id of the last event told so far>`. */
export interface Snapshot {
  /** Another one after a restart of the server. */
  readonly run: string
  readonly at: number
  /** Whether `events` continue from the `Last-Event-ID` of the request; otherwise they are the latest 200. */
  readonly resumed: boolean
  readonly state: LiveState
  readonly events: readonly EventView[]
}

/** Messages of type `delta`: what has changed since the message before. */
export interface Delta {
  readonly at: number
  /** Whole values of what changed. */
  readonly server?: ServerView
  readonly config?: ConfigView
  readonly demo?: unknown
  /** Entries that are new or differ. */
  readonly dependencies?: Readonly<Record<string, DependencyView>>
  readonly policies?: Readonly<Record<string, PolicyView>>
  /** Keys of entries that are no more. */
  readonly gone?: { readonly dependencies?: readonly string[]; readonly policies?: readonly string[] }
  readonly events: readonly EventView[]
  /** Present when a bucket of the finest resolution has just ended. */
  readonly bucket?: { readonly from: number; readonly stepMs: number; readonly rows: Readonly<Record<string, Bucket>> }
}

/** What happened to one dependency within one bucket of time. */
export interface Bucket {
  readonly requests: number
  readonly succeeded: number
  readonly failed: number
  readonly refused: number
  readonly fallback: number
  readonly cancelled: number
  readonly attempts: number
  readonly attemptFailures: number
  /** Of attempts: of all in the bucket, however long it is, to within 6 %. */
  readonly p50Ms: number | null
  readonly p95Ms: number | null
  readonly p99Ms: number | null
  /** The most at the same time: attempts that ran, requests that waited for limits and places. */
  readonly running: number
  readonly queued: number
}

export type HistoryRange = '15m' | '1h' | '6h' | '24h'

/** A stretch of one state. */
export interface Segment {
  readonly from: number
  /** Null: it lasts. */
  readonly to: number | null
  /** `unknown` while the server was down. */
  readonly state: RibbonState | 'unknown'
  readonly forced: boolean
}

/** Something that concerns every row. */
export interface Marker {
  readonly at: number
  readonly kind: 'start' | 'stop' | 'reload' | 'reload-failed' | 'fault' | 'note'
  readonly text: string
}

interface HistoryFrame {
  readonly at: number
  readonly range: HistoryRange
  /**
   * Start of the first of 180 buckets; each array has one value per bucket from there, null where nothing was recorded. The last bucket
   * of `15m` has ended, and the feed sends the next; the last one of the others has not: it holds what happened until `at`.
   */
  readonly from: number
  readonly stepMs: number
  readonly markers: readonly Marker[]
}

/** `GET /api/v1/history?range=15m`: what the wall draws. */
export interface WallHistory extends HistoryFrame {
  readonly rows: Readonly<
    Record<
      string,
      {
        readonly segments: readonly Segment[]
        readonly attempts: readonly (number | null)[]
        readonly failures: readonly (number | null)[]
      }
    >
  >
}

/** `GET /api/v1/history/:dependency?range=15m`: what the charts of one dependency draw. */
export interface DependencyHistory extends HistoryFrame {
  readonly segments: readonly Segment[]
  readonly columns: { readonly [C in keyof Bucket]: readonly (number | null)[] }
}

/** One setting in force, with where it comes from. */
export interface SettingView {
  readonly name: string
  /** As a person writes it: `30s`, `50%`, `1MiB`. Secrets appear as `***`. */
  readonly value: string
  readonly source: 'default' | 'file' | 'environment' | 'runtime'
  /** `config/reliability.yml:12:5`, a variable's name, or who set it at run time. */
  readonly where: string | null
}

/** `GET /api/v1/policies/:id`. */
export interface PolicyDetail extends PolicyView {
  readonly settings: readonly SettingView[]
  /** The latest that concern it, oldest first. */
  readonly events: readonly EventView[]
}

/** One record of `GET /api/v1/audit`. */
export interface AuditView {
  readonly id: number
  readonly at: number
  readonly who: string
  readonly address: string
  readonly action: string
  readonly subject: string
  readonly before: unknown
  readonly after: unknown
  readonly reason: string | null
  readonly expiresAt: number | null
  /** SHA-256 over this record and the hash before it, in hex. */
  readonly hash: string
}

/** `GET /api/v1/session`: who the page works for. */
export interface SessionView {
  /** Null: nobody has logged in. */
  readonly who: string | null
  readonly role: 'read' | 'operate' | null
  /** Whether there are tokens at all; without any nothing can be changed. */
  readonly tokens: boolean
  /** Whether looking needs a login too. */
  readonly loginRequired: boolean
  readonly expiresAt: number | null
}

/** Body of every refusal. */
export interface ErrorView {
  readonly error: { readonly code: string; readonly message: string }
}
