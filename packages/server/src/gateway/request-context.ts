import type { Priority } from './request-priority.ts'

/** What policies and their functions find as `call.context`. */
export interface RequestContext {
  readonly method: string
  readonly clientAddress: string
  readonly header: (name: string) => string | undefined
  /** What the upstream is told of it, too. */
  readonly idempotencyKey: string | undefined
  /** Whether sending the request twice does no more than sending it once. */
  readonly idempotent: boolean
  readonly requestId: string
  readonly priority: Priority
  attempts: number
  fallback: string | undefined
}
