import type { Call } from '../core/call.ts'
import type { Clock } from '../core/clock.ts'
import type { Gate } from '../core/layer.ts'
import { isRefusal } from '../core/refusal.ts'
import { verdictOf } from '../core/verdict.ts'

/** How a call ended, for figures. `refused`: a policy inside did not let it through. `cancelled`: its caller left. */
export type MeteredOutcome = 'success' | 'failure' | 'refused' | 'cancelled'

/** Told of every call that passes a {@link Meter}. */
export type Observe = (outcome: MeteredOutcome, durationMs: number) => void

/** A gate that lets everything through and measures it: a streamed answer to its end. */
export class Meter implements Gate<number> {
  readonly kind = 'gate' as const
  private readonly clock: Clock
  private readonly observe: Observe

  constructor(clock: Clock, observe: Observe) {
    this.clock = clock
    this.observe = observe
  }

  admit(): number {
    return this.clock.now()
  }

  settle(startedAt: number, ok: boolean, value: unknown, call: Call): void {
    const outcome = ok ? 'success' : isRefusal(value) ? 'refused' : verdictOf(ok, value, call) === 'ignored' ? 'cancelled' : 'failure'
    this.observe(outcome, this.clock.now() - startedAt)
  }
}
