import type { Priority } from '../../core/call.ts'
import type { PolicyEvent } from '../../core/events.ts'

export interface LoadSheddingStarted extends PolicyEvent {
  readonly type: 'load.shedding-started'
  readonly load: number
  readonly dark: boolean
}

/** At most one per second; `calls` says how many were shed since the one before. */
export interface LoadShed extends PolicyEvent {
  readonly type: 'load.shed'
  readonly priority: Priority
  readonly load: number
  readonly calls: number
  readonly dark: boolean
}

export interface LoadSheddingEnded extends PolicyEvent {
  readonly type: 'load.shedding-ended'
  readonly forMs: number
  /** Calls shed in that time. */
  readonly shed: number
  readonly dark: boolean
}

export interface LoadCallbackFailed extends PolicyEvent {
  readonly type: 'load.callback-failed'
  readonly callback: string
  readonly error: unknown
}

export type LoadShedderEvent = LoadSheddingStarted | LoadShed | LoadSheddingEnded | LoadCallbackFailed
