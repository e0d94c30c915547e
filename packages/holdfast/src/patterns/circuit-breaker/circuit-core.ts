import { EventHub } from '../../core/events.ts'
import type { Circles, CircuitCircle } from './circuit-circle.ts'
import type { CircuitSettings } from './circuit-options.ts'
import { CircuitTotals, noTotals } from './circuit-totals.ts'
import type { CircuitEvent } from './events.ts'
import { OpenPeriods } from './open-periods.ts'
import type { CallbackFailures } from './outcome-judge.ts'
import type { Probation } from './probation.ts'

/** What a circuit has beside its state: a name, listeners, company, figures, and the times it is open. */
export abstract class CircuitCore implements CallbackFailures {
  readonly name: string
  settings: CircuitSettings
  protected periods: OpenPeriods | undefined = undefined
  protected circles: Circles
  private hub: EventHub<CircuitEvent> | undefined = undefined
  private madeTotals: CircuitTotals | undefined = undefined

  protected constructor(name: string, settings: CircuitSettings, circles: Circles) {
    this.name = name
    this.settings = settings
    this.circles = circles
    circles.join(name)
  }

  get events(): EventHub<CircuitEvent> {
    return (this.hub ??= new EventHub())
  }

  get totals(): Readonly<CircuitTotals> {
    return this.madeTotals ?? noTotals
  }

  callbackFailed(callback: string, error: unknown): void {
    this.tell(() => ({ type: 'circuit.callback-failed', policy: this.name, at: this.settings.clock.wallNow(), callback, error }))
  }

  /** Belongs to a circle no more. Answers whether it did. */
  protected without(circle: CircuitCircle): boolean {
    const others = this.circles.without(circle)
    if (others === undefined) return false
    this.circles = others
    return true
  }

  protected forgetTotals(): void {
    this.madeTotals = undefined
    this.periods = undefined
  }

  protected closePeriods(mayKeepGrowth: boolean): void {
    const { clock, openTime } = this.settings
    this.periods?.close(clock.now(), mayKeepGrowth && openTime.decayMs !== Infinity)
  }

  protected counters(): CircuitTotals {
    return (this.madeTotals ??= new CircuitTotals())
  }

  protected opening(): OpenPeriods {
    return (this.periods ??= new OpenPeriods())
  }

  protected reopenForMs(probation: Probation): number {
    return (probation.reopenForMs ??= this.openTimeOf(this.opening().openings + 1))
  }

  protected openTimeOf(opening: number): number {
    const { openTime } = this.settings
    try {
      return openTime.next(Math.max(1, opening))
    } catch (error) {
      this.callbackFailed('openFor', error)
      return openTime.firstMs
    }
  }

  protected tell(event: () => CircuitEvent): void {
    const { hub, circles } = this
    if (hub?.active !== true && !circles.active) return
    const told = event()
    hub?.emit(told)
    circles.emit(told)
  }
}
