import type { Call, Cost } from '../../core/call.ts'
import { durationMs } from '../../core/duration.ts'
import { newCall, plainInvocation, startCall } from '../../core/executor.ts'
import { GateFrame } from '../../core/frame.ts'
import type { ChainLayer, Gate, Seat, Waiting } from '../../core/layer.ts'
import type { CallOptions } from '../../core/policy.ts'
import { isRefusal, toError, type Refusal } from '../../core/refusal.ts'
import type { TimeLimitRun } from '../../core/time-limit.ts'
import { Holding } from './holding.ts'
import type { Admitted, LimiterGate } from './limiter-gate.ts'

/** For whom and how much. */
export type ReservationOptions = Pick<CallOptions, 'key' | 'cost' | 'priority' | 'labels' | 'context'>

/** As {@link ReservationOptions}; signal and deadline are for the wait. */
export type WaitingReservationOptions = ReservationOptions & Pick<CallOptions, 'signal' | 'deadline'>

/**
 * Units that were taken before it is known how many will be used. Settled once: the first of the methods counts, later ones do nothing.
 * With `using`, leaving the block unsettled keeps what was reserved: nobody knows what was used.
 */
export interface Reservation extends Disposable {
  readonly refused: false
  readonly key: string
  /** Units reserved, by limit. */
  readonly cost: Readonly<Record<string, number>>
  /** Says what was really used. Less is given back, more is charged, also when it goes into debt; limits not named keep what was reserved. */
  settle(actual?: Cost): void
  /** Nothing was done: gives back what still counts. */
  cancel(): void
}

export class LimiterReservation implements Reservation {
  readonly refused = false as const
  readonly key: string
  readonly cost: Readonly<Record<string, number>>
  private readonly gate: LimiterGate
  private readonly holding: Holding
  private readonly check: (actual: Cost | undefined) => void

  constructor(gate: LimiterGate, holding: Holding, check: (actual: Cost | undefined) => void) {
    this.gate = gate
    this.holding = holding
    this.check = check
    this.key = holding.key
    const { limits } = gate.settings
    this.cost = Object.fromEntries(limits.all.map(({ name }) => [name, limits.units(name, holding.cost)]))
  }

  settle(actual?: Cost): void {
    this.check(actual)
    this.gate.settleHolding(this.holding, actual)
  }

  cancel(): void {
    this.gate.cancelHolding(this.holding)
  }

  [Symbol.dispose](): void {
    this.gate.settleHolding(this.holding, undefined)
  }
}

/** Asks the limiter's gate for one reservation. */
class ReservationDesk implements Gate<Holding>, Seat<Admitted>, ChainLayer {
  readonly kind = 'gate' as const
  private readonly gate: LimiterGate
  private readonly reserved: (holding: Holding) => void
  private key = ''
  private cost: Cost | undefined = undefined
  private seat: Seat<Holding> | undefined = undefined
  private holding: Holding | undefined = undefined

  constructor(gate: LimiterGate, reserved: (holding: Holding) => void) {
    this.gate = gate
    this.reserved = reserved
  }

  admit(call: Call, seat: Seat<Holding> | undefined): Holding | Refusal | Waiting {
    this.seat = seat
    this.key = this.gate.keyOf(call)
    this.cost = this.gate.costOf(call)
    const answer = this.gate.admit(call, seat === undefined ? undefined : this)
    return answer === true || answer instanceof Holding ? this.held(answer) : answer
  }

  grant(permit: Admitted): void {
    this.seat?.grant(this.held(permit))
  }

  refuse(refused: Refusal): void {
    this.seat?.refuse(refused)
  }

  /** The caller left while the reservation was on its way to it. */
  settle(holding: Holding): void {
    this.gate.cancelHolding(holding)
  }

  start(): void {
    this.reserved(this.holding as Holding)
  }

  private held(permit: Admitted): Holding {
    this.holding = permit === true ? this.gate.holdNow(this.key, this.cost) : permit
    return this.holding
  }
}

/** A reservation at once, or the refusal. */
export function reserveNow(gate: LimiterGate, options: ReservationOptions | undefined): Holding | Refusal {
  const call = newCall(() => undefined, options, plainInvocation(gate.settings.clock))
  const answer = new ReservationDesk(gate, () => {}).admit(call, undefined)
  return isRefusal(answer) ? answer : (answer as Holding)
}

/** Waits for a reservation where the limiter queues. */
export function reserveLater(gate: LimiterGate, options: WaitingReservationOptions | undefined): Promise<Holding> {
  if (options?.deadline !== undefined) durationMs('reserve', 'deadline', options.deadline, { allowInfinity: true })
  return new Promise((resolve, reject) => {
    let limit: TimeLimitRun | undefined
    let isReserved = false
    const desk = new ReservationDesk(gate, (holding) => {
      isReserved = true
      limit?.disarm()
      resolve(holding)
    })
    const call = newCall(() => undefined, options, plainInvocation(gate.settings.clock))
    // after the reservation was handed over, rejecting means nothing
    limit = startCall(new GateFrame([desk], desk, 1), call, options, { settle: (_ok, value) => reject(toError(value)) })
    if (isReserved) limit?.disarm()
  })
}
