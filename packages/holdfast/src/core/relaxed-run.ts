import type { CallState } from './call.ts'
import type { ChainLayer, RelaxedFlow, Sink } from './layer.ts'
import { leaf } from './leaf.ts'
import { PromiseSink } from './sinks.ts'

/** The most runs that are kept for later calls, for all policies together. */
const maxSpares = 256

const promiseThen = Promise.prototype.then
let spare: RelaxedRun | undefined
let spares = 0

/** A flow that is asked when the first attempt fails, with all that lies inside it. */
export class RelaxedLayer implements ChainLayer {
  readonly flow: RelaxedFlow
  readonly next: ChainLayer

  constructor(flow: RelaxedFlow, next: ChainLayer) {
    this.flow = flow
    this.next = next
  }

  start(call: CallState, out: Sink): void {
    const attempt = this.flow.startRelaxed(call)
    if (attempt === undefined) void this.flow.start(this.next, call, out)
    else this.next.start(attempt, new FirstAttempt(this, call, attempt, out))
  }

  /** Runs a call that nothing can cancel, if the layer is all there is around the function. */
  execute(call: CallState): Promise<unknown> {
    const attempt = this.next === leaf ? this.flow.startRelaxed(call) : undefined
    if (attempt === undefined) return new Promise((resolve, reject) => this.start(call, new PromiseSink(resolve, reject)))
    let run = spare
    if (run === undefined) run = new RelaxedRun()
    else {
      spare = run.nextSpare
      spares--
    }
    return run.execute(this.flow, call, attempt)
  }
}

/** Hears of the first attempt in place of the flow. */
class FirstAttempt implements Sink {
  private readonly layer: RelaxedLayer
  private readonly settings: unknown
  private readonly call: CallState
  private readonly attempt: CallState
  private readonly out: Sink

  constructor(layer: RelaxedLayer, call: CallState, attempt: CallState, out: Sink) {
    this.layer = layer
    this.settings = layer.flow.settings
    this.call = call
    this.attempt = attempt
    this.out = out
  }

  settle(ok: boolean, value: unknown): void {
    const { layer, call, attempt, out } = this
    if (ok) {
      if (attempt !== call) attempt.close()
      out.settle(ok, value)
    } else layer.flow.resume(layer.next, call, attempt, out, value, this.settings)
  }
}

/** The first attempt of a call whose flow is asked only if it fails. One object, with its two functions, serves one call after the other. */
class RelaxedRun {
  nextSpare: RelaxedRun | undefined = undefined
  private flow: RelaxedFlow | undefined = undefined
  private settings: unknown = undefined
  private call: CallState | undefined = undefined
  private attempt: CallState | undefined = undefined

  execute(flow: RelaxedFlow, call: CallState, attempt: CallState): Promise<unknown> {
    this.flow = flow
    this.settings = flow.settings
    this.call = call
    this.attempt = attempt
    let answer: unknown
    try {
      answer = call.run(attempt)
    } catch (error) {
      answer = Promise.reject(error)
    }
    return promiseThen.call(Promise.resolve(answer), this.succeed, this.fail)
  }

  private readonly succeed = (value: unknown): unknown => {
    const attempt = this.attempt as CallState
    this.rest()
    if (!attempt.isPlain) {
      attempt.succeeded()
      attempt.close()
    }
    return value
  }

  private readonly fail = (error: unknown): Promise<unknown> => {
    const flow = this.flow as RelaxedFlow
    const call = this.call as CallState
    const attempt = this.attempt as CallState
    const { settings } = this
    this.rest()
    attempt.failed()
    return new Promise((resolve, reject) => flow.resume(leaf, call, attempt, new PromiseSink(resolve, reject), error, settings))
  }

  private rest(): void {
    this.flow = undefined
    this.settings = undefined
    this.call = undefined
    this.attempt = undefined
    if (spares >= maxSpares) return
    this.nextSpare = spare
    spare = this
    spares++
  }
}
