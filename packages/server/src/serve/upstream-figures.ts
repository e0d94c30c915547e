import { logHistogram, type LogHistogram } from 'holdfast'
import type { RequestRecord } from '../gateway/index.ts'

/** What went through the gateway to one upstream, since the start; latencies of the last minute or two. */
export interface UpstreamFigures {
  readonly name: string
  readonly requests: number
  readonly byClass: Readonly<Record<string, number>>
  /** Requests sent to the upstream: attempts of all requests. */
  readonly attempts: number
  /** Attempts after the first of a request. */
  readonly retries: number
  /** Requests the gateway answered by itself, by cause. */
  readonly causes: Readonly<Record<string, number>>
  readonly p50Ms: number | null
  readonly p95Ms: number | null
  readonly p99Ms: number | null
}

const windowMs = 60_000

function latencies(): LogHistogram {
  return logHistogram({ min: 0.01, max: 3_600_000 })
}

/** Counts the requests of one upstream. */
export class UpstreamCounter {
  private readonly name: string
  private readonly byClass: Record<string, number> = {}
  private readonly causes: Record<string, number> = {}
  private requests = 0
  private attempts = 0
  private retries = 0
  private current: LogHistogram = latencies()
  private previous: LogHistogram = latencies()
  private turnedAt: number

  constructor(name: string, now: number) {
    this.name = name
    this.turnedAt = now
  }

  add(record: RequestRecord, now: number): void {
    this.turn(now)
    this.requests++
    this.attempts += record.attempts
    this.retries += Math.max(0, record.attempts - 1)
    const statusClass = `${Math.floor(record.status / 100)}xx`
    this.byClass[statusClass] = (this.byClass[statusClass] ?? 0) + 1
    if (record.cause !== undefined) this.causes[record.cause] = (this.causes[record.cause] ?? 0) + 1
    this.current.record(record.durationMs)
  }

  figures(now: number): UpstreamFigures {
    this.turn(now)
    const recent = this.previous.copy()
    recent.merge(this.current)
    const { name, requests, byClass, attempts, retries, causes } = this
    const percentiles = { p50Ms: recent.percentile(0.5), p95Ms: recent.percentile(0.95), p99Ms: recent.percentile(0.99) }
    return { name, requests, byClass: { ...byClass }, attempts, retries, causes: { ...causes }, ...percentiles }
  }

  private turn(now: number): void {
    if (now - this.turnedAt < windowMs) return
    this.previous = now - this.turnedAt < 2 * windowMs ? this.current : latencies()
    this.current = latencies()
    this.turnedAt = now
  }
}
