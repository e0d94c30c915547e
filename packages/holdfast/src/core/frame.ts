import type { Abortable } from './abort-hub.ts'
import type { CallState, EnclosingFrame } from './call.ts'
import type { ChainLayer, Gate, Seat, Sink, Waiting } from './layer.ts'
import { runSoon } from './microtasks.ts'
import { isRefusal, refusal, refusalError, type Refusal } from './refusal.ts'
import { PromiseSink } from './sinks.ts'

/** What gates are told when a call is cancelled while it waits further inside: it never ran. */
const neverRan = refusal('ERR_CANCELLED', '')

function isWaiting(answer: unknown): answer is Waiting {
  return typeof answer === 'object' && answer !== null && (answer as Waiting).waiting === true
}

/** A maximal run of neighbouring gates: one layer of the chain. */
export class GateFrame implements ChainLayer {
  readonly gates: readonly Gate<unknown>[]
  readonly next: ChainLayer
  /** Whether any gate gives its place back only when the work has ended. */
  readonly hasPlaces: boolean

  constructor(gates: readonly Gate<unknown>[], next: ChainLayer) {
    this.gates = gates
    this.next = next
    this.hasPlaces = gates.some((gate) => gate.leave !== undefined)
  }

  start(call: CallState, out: Sink): void {
    new FrameRun(this, call, out).advance()
  }

  /**
   * Runs a call that nothing can cancel through a frame around the function alone, on the promise of the function itself.
   */
  execute(call: CallState): Promise<unknown> {
    const run = new FrameRun(this, call, undefined)
    const answer = run.admit()
    if (answer !== undefined) {
      if (!isWaiting(answer)) {
        run.letGo(answer)
        return Promise.reject(refusalError(answer))
      }
      return new Promise((resolve, reject) => {
        run.out = new PromiseSink(resolve, reject)
        run.wait(answer)
      })
    }
    let result: unknown
    try {
      result = call.run(call)
    } catch (error) {
      call.answered(false)
      run.judge(false, error)
      return Promise.reject(error)
    }
    if ((typeof result !== 'object' || result === null) && typeof result !== 'function') {
      call.answered(true)
      run.settle(true, result)
      return Promise.resolve(result)
    }
    return Promise.resolve(result).then(
      (value: unknown) => {
        call.answered(true)
        run.settle(true, value)
        return value
      },
      (error: unknown) => {
        call.answered(false)
        run.judge(false, error)
        throw error
      },
    )
  }
}

/** One call on its way through one frame. */
class FrameRun implements Sink, Seat<unknown>, Abortable, EnclosingFrame {
  readonly frame: GateFrame
  readonly call: CallState
  readonly outer: EnclosingFrame | undefined
  /** Absent when the caller hears through the promise of the function itself. */
  out: Sink | undefined
  /** Permits of the gates 0 … held - 1. */
  readonly permits: unknown[] = []
  held = 0
  over = false
  private waiting: Waiting | undefined = undefined
  /** What the gate that made the call wait has answered; delivered in a microtask. */
  private answer: 'none' | 'granted' | Refusal = 'none'
  private streamed: unknown = undefined
  private judged = false

  constructor(frame: GateFrame, call: CallState, out: Sink | undefined) {
    this.frame = frame
    this.call = call
    this.out = out
    this.outer = call.frame
    call.frame = this
  }

  /** Asks the gates that have not answered yet; stops at a refusal or a wait, and returns it. */
  admit(): Refusal | Waiting | undefined {
    const { gates } = this.frame
    while (this.held < gates.length) {
      const answer = (gates[this.held] as Gate<unknown>).admit(this.call, this)
      if (isRefusal(answer) || isWaiting(answer)) return answer
      this.permits.push(answer)
      this.held++
    }
    return undefined
  }

  advance(): void {
    const answer = this.admit()
    if (answer === undefined) this.frame.next.start(this.call, this)
    else if (isWaiting(answer)) this.wait(answer)
    else {
      this.letGo(answer)
      this.out?.settle(false, answer)
    }
  }

  wait(waiting: Waiting): void {
    this.waiting = waiting
    if (!this.call.cancellable) return
    const reason = this.call.cancelled
    if (reason === undefined) this.call.onCancel(this)
    else this.cancel(reason)
  }

  grant(permit: unknown): void {
    this.permits.push(permit)
    this.held++
    this.hear('granted')
  }

  refuse(refused: Refusal): void {
    this.hear(refused)
  }

  cancel(reason: unknown): void {
    if (this.answer === 'none') this.waiting?.cancel()
    this.waiting = undefined
    this.letGo(neverRan)
    this.out?.settle(false, reason)
  }

  /** Goes on with what the gate has answered. */
  proceed(): void {
    const { answer } = this
    this.answer = 'none'
    if (this.over) return
    this.waiting = undefined
    if (this.call.cancellable) this.call.offCancel(this)
    const refused = answer === 'granted' ? this.staleRefusal() : (answer as Refusal)
    if (refused === undefined) {
      this.advance()
      return
    }
    this.letGo(refused)
    this.out?.settle(false, refused)
  }

  staleRefusal(): Refusal | undefined {
    if (!this.over) {
      const { gates } = this.frame
      for (let index = 0; index < this.held; index++) {
        const gate = gates[index] as Gate<unknown>
        const valid = gate.stillValid === undefined ? true : gate.stillValid(this.permits[index])
        if (valid !== true) return valid === false ? refusal('ERR_PERMIT_STALE', '') : valid
      }
    }
    return this.outer?.staleRefusal()
  }

  settle(ok: boolean, value: unknown): void {
    if (ok && this.call.streaming > 0) {
      this.streamed = value
      this.call.whenEnded(this)
    } else this.judge(ok, value)
    this.out?.settle(ok, value)
  }

  /** Part of the work that went on after the answer has ended. */
  ended(): void {
    if (!this.judged) {
      if (this.call.streaming > 0) this.call.whenEnded(this)
      else this.judge(true, this.streamed)
      return
    }
    if (this.call.open) this.call.whenEnded(this)
    else this.leave()
  }

  /** Tells the gates how the call went, innermost first, and gives the places back if the work has ended. */
  judge(ok: boolean, value: unknown): void {
    this.judged = true
    this.over = true
    const { call, permits } = this
    const { gates, hasPlaces } = this.frame
    const failure = ok ? call.bodyFailure : undefined
    const succeeded = ok && failure === undefined
    const outcome = failure === undefined ? value : failure.error
    for (let index = this.held - 1; index >= 0; index--) (gates[index] as Gate<unknown>).settle(permits[index], succeeded, outcome, call)
    if (!hasPlaces) return
    if (call.open) call.whenEnded(this)
    else this.leave()
  }

  /** Gives all permits back unused. */
  letGo(why: Refusal): void {
    this.over = true
    const { gates } = this.frame
    for (let index = this.held - 1; index >= 0; index--) {
      ;(gates[index] as Gate<unknown>).settle(this.permits[index], false, why, this.call)
    }
    this.leave()
  }

  private hear(answer: 'granted' | Refusal): void {
    this.answer = answer
    this.waiting = undefined
    runSoon(this)
  }

  private leave(): void {
    const { gates } = this.frame
    for (let index = this.held - 1; index >= 0; index--) (gates[index] as Gate<unknown>).leave?.(this.permits[index])
    this.held = 0
  }
}
