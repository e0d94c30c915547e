import type { Clock } from '../../core/clock.ts'
import { durationMs, type Duration } from '../../core/duration.ts'
import { booleanOption, checkOptionNames, functionOption, invalidOption } from '../../core/options.ts'
import type { HealthRecord } from '../../core/policy.ts'
import { recordOf, recordOfError } from './check-result.ts'

export interface HealthCheckOptions {
  /** Looks whether the dependency works. Nothing or true is healthy; false, a throw, a status of `fail` is not. */
  readonly check: (context: { readonly signal: AbortSignal }) => unknown
  /** A check that takes longer has failed. @defaultValue '1s' */
  readonly timeout?: Duration
  /** For how long an answer is used again. @defaultValue '5s' */
  readonly ttl?: Duration
  /** Whether the service is not ready without the dependency. @defaultValue false */
  readonly critical?: boolean
}

export interface HealthCheckState extends HealthRecord {
  readonly critical: boolean
  /** Epoch ms; null while the check has never ended. */
  readonly checkedAt: number | null
  /** How old the answer is. */
  readonly ageMs: number | null
  readonly tookMs: number | null
  /** The last time that it did not pass, also when it passes again; null if it always has. */
  readonly lastFailure: { readonly at: number; readonly reason: string } | null
}

/** One check: never twice at the same time, never longer than its timeout, no oftener than its ttl. */
export class HealthCheck {
  readonly critical: boolean
  private readonly clock: Clock
  private readonly check: HealthCheckOptions['check']
  private readonly timeoutMs: number
  private readonly ttlMs: number
  private running: Promise<void> | undefined = undefined
  private record: HealthRecord = { status: 'unknown', reason: 'not checked yet' }
  private endedAt = -Infinity
  private tookMs: number | null = null
  private failedAt = -Infinity
  private failure = ''

  constructor(name: string, options: HealthCheckOptions, clock: Clock) {
    checkOptionNames(name, options, ['check', 'timeout', 'ttl', 'critical'])
    if (functionOption(name, 'check', options.check) === undefined) throw invalidOption(name, 'check', undefined, 'a function')
    this.clock = clock
    this.check = options.check
    this.timeoutMs = durationMs(name, 'timeout', options.timeout ?? '1s', { min: 1 })
    this.ttlMs = durationMs(name, 'ttl', options.ttl ?? '5s')
    this.critical = booleanOption(name, 'critical', options.critical ?? false)
  }

  /** What is known now. */
  get state(): HealthCheckState {
    const ageMs = this.endedAt === -Infinity ? null : Math.round(this.clock.now() - this.endedAt)
    const checkedAt = ageMs === null ? null : this.clock.wallNow() - ageMs
    const lastFailure = this.failedAt === -Infinity ? null : { at: this.wallOf(this.failedAt), reason: this.failure }
    return { ...this.record, critical: this.critical, checkedAt, ageMs, tookMs: this.tookMs, lastFailure }
  }

  /** Resolves when the state is fresh; never rejects. */
  refresh(): Promise<void> {
    if (this.clock.now() - this.endedAt < this.ttlMs) return Promise.resolve()
    this.running ??= this.run().finally(() => {
      this.running = undefined
    })
    return this.running
  }

  private wallOf(instant: number): number {
    return Math.round(this.clock.wallNow() - (this.clock.now() - instant))
  }

  private run(): Promise<void> {
    const startedAt = this.clock.now()
    const controller = new AbortController()
    return new Promise((resolve) => {
      const end = (record: HealthRecord): void => {
        timer.cancel()
        this.record = record
        this.endedAt = this.clock.now()
        this.tookMs = this.endedAt - startedAt
        if (record.status !== 'pass') {
          this.failedAt = this.endedAt
          this.failure = record.reason ?? record.status
        }
        resolve()
      }
      const timer = this.clock.setTimer(() => {
        end({ status: 'fail', reason: `no answer within ${this.timeoutMs} ms` })
        controller.abort(new DOMException('the health check timed out', 'TimeoutError'))
      }, this.timeoutMs)
      Promise.resolve()
        .then(() => this.check({ signal: controller.signal }))
        .then(
          (result) => {
            if (!controller.signal.aborted) end(recordOf(result))
          },
          (error: unknown) => {
            if (!controller.signal.aborted) end(recordOfError(error))
          },
        )
    })
  }
}
