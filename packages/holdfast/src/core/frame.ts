import type { Abortable } from './abort-hub.ts'
import type { CallState, EnclosingFrame } from './call.ts'
import type { ChainLayer, Gate, Seat, Sink, Waiting } from './layer.ts'
import { runSoon } from './microtasks.ts'
import { isRefusal, refusal, refusalError, toError, type Refusal } from './refusal.ts'
import { PromiseSink } from './sinks.ts'

/** What gates are told when a call is cancelled while it waits further inside: it never ran. */
export const neverRan = refusal('ERR_CANCELLED', '')

function isWaiting(answer: unknown): answer is Waiting {
  return typeof answer === 'object' && answer !== null && (answer as { readonly waiting?: unknown }).waiting === true
}

/** A maximal run of neighbouring gates: one layer of the chain. */
export class GateFrame implements ChainLayer {
  readonly gates: readonly Gate[]
  readonly next: ChainLayer
  /** Whether any gate gives its place back only when the work has ended. */
  readonly hasPlaces: boolean
  /** Frames from here to the function, this one included. */
  readonly depth: number
  /** Whether all gates can say at once that a call may go on. */
  readonly isPrompt: boolean

  constructor(gates: readonly Gate[], next: ChainLayer, depth: number) {
    this.gates = gates
    this.next = next
    this.depth = depth
    this.hasPlaces = gates.some((gate) => gate.leave !== undefined)
    this.isPrompt = gates.every((gate) => gate.admitNow !== undefined)
  }

  start(call: CallState, out: Sink): void {
    const reason = call.cancellable ? call.cancelled : undefined
    if (reason === undefined) new FrameRun(this, call, out).advance()
    else out.settle(false, reason) // started by a flow that has not heard of it: gates must not judge what never runs
  }
}

/** The nearest of these frames that lies further out than `depth`: a flow may have started others on the same call before. */
function enclosing(nearest: EnclosingFrame | undefined, depth: number): EnclosingFrame | undefined {
  let frame = nearest
  while (frame !== undefined && frame.frame.depth <= depth) frame = frame.outer
  return frame
}

/** One call on its way through one frame. */
export class FrameRun implements Sink, Seat<unknown>, Abortable, EnclosingFrame {
  readonly frame: GateFrame
  readonly call: CallState
  readonly outer: EnclosingFrame | undefined
  /** Absent when the caller hears through the promise of the function itself. */
  out: Sink | undefined
  /** Permits of the gates 0 … held - 1: seldom more than two. */
  private firstPermit: unknown = undefined
  private secondPermit: unknown = undefined
  private otherPermits: unknown[] | undefined = undefined
  private held = 0
  private phase: 'admitting' | 'granted' | 'refused' | 'streaming' | 'over' = 'admitting'
  /** By phase: the wait, the refusal to be delivered, or the streamed answer. */
  private pending: unknown = undefined

  constructor(frame: GateFrame, call: CallState, out: Sink | undefined) {
    this.frame = frame
    this.call = call
    this.out = out
    this.outer = enclosing(call.frame, frame.depth)
    call.frame = this
  }

  /** Runs the call's function by itself once the gates let it in. */
  execute(): Promise<unknown> {
    let answer: Refusal | Waiting | undefined
    try {
      answer = this.admit()
    } catch (error) {
      return Promise.reject(error)
    }
    if (answer === undefined) return this.run()
    if (isWaiting(answer)) return this.promise(answer)
    this.letGo(answer)
    return Promise.reject(refusalError(answer))
  }

  private promise(waiting: Waiting): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.out = new PromiseSink(resolve, reject)
      this.wait(waiting)
    })
  }

  /** The caller hears through the promise of the function itself. */
  private async run(): Promise<unknown> {
    const { call } = this
    let value: unknown
    try {
      value = await call.run(call)
    } catch (error) {
      call.failed()
      this.judge(false, error)
      throw toError(error)
    }
    call.succeeded()
    this.settle(true, value)
    return value
  }

  /**
   * Asks the gates that have not answered yet; stops at a refusal or a wait, and returns it.
   * @throws what a broken gate throws, after the permits of the others were given back.
   */
  admit(): Refusal | Waiting | undefined {
    const { gates } = this.frame
    while (this.held < gates.length) {
      let answer: unknown
      try {
        answer = (gates[this.held] as Gate).admit(this.call, this)
      } catch (error) {
        this.letGo(neverRan)
        throw error
      }
      if (isRefusal(answer) || isWaiting(answer)) return answer
      this.take(answer)
    }
    return undefined
  }

  advance(): void {
    let answer: Refusal | Waiting | undefined
    try {
      answer = this.admit()
    } catch (error) {
      this.out?.settle(false, error)
      return
    }
    if (answer === undefined) this.frame.next.start(this.call, this)
    else if (isWaiting(answer)) this.wait(answer)
    else {
      this.letGo(answer)
      this.out?.settle(false, answer)
    }
  }

  wait(waiting: Waiting): void {
    if (this.phase === 'admitting') this.pending = waiting // it may have been answered already
    if (this.call.cancellable) this.call.onCancel(this)
  }

  grant(permit: unknown): void {
    this.take(permit)
    this.phase = 'granted'
    runSoon(this)
  }

  refuse(refused: Refusal): void {
    this.phase = 'refused'
    this.pending = refused
    runSoon(this)
  }

  cancel(reason: unknown): void {
    if (this.phase === 'admitting') (this.pending as Waiting | undefined)?.cancel()
    this.letGo(neverRan)
    this.out?.settle(false, reason)
  }

  /** Goes on with what the gate has answered. */
  proceed(): void {
    const { phase } = this
    if (phase === 'over') return
    if (this.call.cancellable) this.call.offCancel(this)
    const refused = phase === 'granted' ? this.staleRefusal() : (this.pending as Refusal)
    this.pending = undefined
    this.phase = 'admitting'
    if (refused === undefined) {
      this.advance()
      return
    }
    this.letGo(refused)
    this.out?.settle(false, refused)
  }

  staleRefusal(): Refusal | undefined {
    if (this.phase !== 'over') {
      const { gates } = this.frame
      for (let index = 0; index < this.held; index++) {
        const gate = gates[index] as Gate
        const valid = gate.stillValid === undefined ? true : gate.stillValid(this.permit(index))
        if (valid !== true) return valid === false ? refusal('ERR_PERMIT_STALE', '') : valid
      }
    }
    return this.outer?.staleRefusal()
  }

  settle(ok: boolean, value: unknown): void {
    if (ok && this.call.streaming > 0) {
      this.phase = 'streaming'
      this.pending = value
      this.call.whenEnded(this)
    } else this.judge(ok, value)
    this.out?.settle(ok, value)
  }

  /** Part of the work that went on after the answer has ended. */
  ended(): void {
    if (this.phase === 'streaming') {
      if (this.call.streaming > 0) this.call.whenEnded(this)
      else this.judge(true, this.pending)
    } else if (this.call.open) this.call.whenEnded(this)
    else this.leave()
  }

  /** Tells the gates how the call went, innermost first, and gives the places back if the work has ended. */
  judge(ok: boolean, value: unknown): void {
    this.phase = 'over'
    const { call } = this
    const { gates, hasPlaces } = this.frame
    const failure = ok ? call.bodyFailure : undefined
    const succeeded = ok && failure === undefined
    const outcome = failure === undefined ? value : failure.error
    for (let index = this.held - 1; index >= 0; index--) (gates[index] as Gate).settle(this.permit(index), succeeded, outcome, call)
    if (!hasPlaces) return
    if (call.open) call.whenEnded(this)
    else this.leave()
  }

  /** Gives all permits back unused. */
  letGo(why: Refusal): void {
    this.phase = 'over'
    const { gates } = this.frame
    for (let index = this.held - 1; index >= 0; index--) (gates[index] as Gate).settle(this.permit(index), false, why, this.call)
    this.leave()
  }

  private leave(): void {
    const { gates } = this.frame
    for (let index = this.held - 1; index >= 0; index--) (gates[index] as Gate).leave?.(this.permit(index))
    this.held = 0
  }

  /** The next gate has admitted the call. */
  take(permit: unknown): void {
    if (this.held === 0) this.firstPermit = permit
    else if (this.held === 1) this.secondPermit = permit
    else if (this.otherPermits === undefined) this.otherPermits = [permit]
    else this.otherPermits.push(permit)
    this.held++
  }

  private permit(index: number): unknown {
    if (index === 0) return this.firstPermit
    return index === 1 ? this.secondPermit : this.otherPermits?.[index - 2]
  }
}
