import type { CallState } from './call.ts'
import { FrameRun, neverRan, type GateFrame } from './frame.ts'
import type { Gate } from './layer.ts'
import { toError } from './refusal.ts'

/** The most runs that are kept for later calls, for all policies together. */
const maxSpares = 256

const promiseThen = Promise.prototype.then
let spare: DirectRun | undefined
let spares = 0

/** Runs a call that nothing can cancel through a frame around the function alone. */
export function executeInFrame(frame: GateFrame, call: CallState): Promise<unknown> {
  if (!frame.isPrompt) return new FrameRun(frame, call, undefined).execute()
  let run = spare
  if (run === undefined) run = new DirectRun()
  else {
    spare = run.nextSpare
    spares--
  }
  return run.execute(frame, call)
}

/**
 * A call that all gates admit at once. It holds the two functions that an asynchronous function would make anew for each call,
 * and serves one call after the other.
 */
class DirectRun {
  nextSpare: DirectRun | undefined = undefined
  private frame: GateFrame | undefined = undefined
  private call: CallState | undefined = undefined
  private permit: unknown = undefined
  private permits: unknown[] | undefined = undefined

  execute(frame: GateFrame, call: CallState): Promise<unknown> {
    this.frame = frame
    this.call = call
    const { gates } = frame
    let held = 0
    try {
      for (; held < gates.length; held++) {
        const permit = (gates[held] as Required<Gate>).admitNow(call)
        if (permit === undefined) return this.continued(held).execute()
        if (held === 0) this.permit = permit
        else (this.permits ??= []).push(permit)
      }
    } catch (error) {
      this.continued(held).letGo(neverRan)
      return Promise.reject(error)
    }
    let answer: unknown
    try {
      answer = call.run(call)
    } catch (error) {
      answer = Promise.reject(error)
    }
    // what a promise of the function's own does with `then` is not asked: its answer is awaited as `await` would
    return promiseThen.call(Promise.resolve(answer), this.succeed, this.fail)
  }

  private readonly succeed = (value: unknown): unknown => {
    const call = this.call as CallState
    if (call.isPlain) this.judge(true, value, call)
    else {
      call.succeeded()
      this.continued().settle(true, value)
    }
    return value
  }

  private readonly fail = (error: unknown): never => {
    const call = this.call as CallState
    if (call.isPlain) this.judge(false, error, call)
    else {
      call.failed()
      this.continued().judge(false, error)
    }
    throw toError(error)
  }

  private judge(ok: boolean, value: unknown, call: CallState): void {
    const { gates, hasPlaces } = this.frame as GateFrame
    for (let index = gates.length - 1; index >= 0; index--) gates[index]?.settle(this.permitOf(index), ok, value, call)
    if (hasPlaces) for (let index = gates.length - 1; index >= 0; index--) gates[index]?.leave?.(this.permitOf(index))
    this.rest()
  }

  /** A run that goes on from here, with the permits of the first so many gates. */
  private continued(held = this.frame?.gates.length ?? 0): FrameRun {
    const run = new FrameRun(this.frame as GateFrame, this.call as CallState, undefined)
    for (let index = 0; index < held; index++) run.take(this.permitOf(index))
    this.rest()
    return run
  }

  private permitOf(index: number): unknown {
    return index === 0 ? this.permit : this.permits?.[index - 1]
  }

  private rest(): void {
    this.frame = undefined
    this.call = undefined
    this.permit = undefined
    if (this.permits !== undefined) this.permits.length = 0
    if (spares >= maxSpares) return
    this.nextSpare = spare
    spare = this
    spares++
  }
}
