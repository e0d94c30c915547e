import type { Call, Priority } from '../../core/call.ts'
import type { Gate } from '../../core/layer.ts'
import type { Refusal } from '../../core/refusal.ts'
import { verdictOf } from '../../core/verdict.ts'
import { ClientThrottle, type ThrottleSettings } from './client-throttle.ts'
import { decide } from './shed-rule.ts'
import type { ShedReport } from './shed-report.ts'

const permit = {}

/** Sheds what a dependency that fails would only refuse. */
export class ThrottleGate implements Gate<object> {
  readonly kind = 'gate' as const
  readonly report: ShedReport
  readonly throttle: ClientThrottle
  private isFailure: (error: unknown) => boolean

  constructor(settings: ThrottleSettings, report: ShedReport, isFailure: (error: unknown) => boolean) {
    this.report = report
    this.isFailure = isFailure
    this.throttle = new ClientThrottle(settings, report.settings.clock.now())
  }

  admit(call: Call): object | Refusal {
    const { clock, random } = this.report.settings
    const now = clock.now()
    const probability = this.throttle.ask(now)
    this.report.state(probability > 0.01, probability, now)
    if (decide(probability, random)) {
      const refused = this.report.refuse(call.priority, probability, now)
      if (refused !== undefined) return refused
    }
    this.report.admitted++
    return permit
  }

  settle(_permit: object, ok: boolean, value: unknown, call: Call): void {
    const verdict = verdictOf(ok, value, call)
    const now = this.report.settings.clock.now()
    if (verdict === 'ignored') this.throttle.takeBack(now)
    else if (verdict === 'success' || !this.countsAsFailure(value)) this.throttle.accepted(now)
    else this.throttle.failed()
  }

  shouldShed(_priority: Priority | number): boolean {
    const { clock, random } = this.report.settings
    return decide(this.throttle.peek(clock.now()), random)
  }

  reconfigure(settings: ThrottleSettings, isFailure: (error: unknown) => boolean): void {
    this.throttle.reconfigure(settings, this.report.settings.clock.now())
    this.isFailure = isFailure
  }

  private countsAsFailure(error: unknown): boolean {
    try {
      return this.isFailure(error)
    } catch (failure) {
      this.report.callbackFailed('isOverload', failure)
      return true
    }
  }
}
