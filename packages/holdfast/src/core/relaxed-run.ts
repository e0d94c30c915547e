import type { CallState } from './call.ts'
import type { RelaxedFlow } from './layer.ts'
import { leaf } from './leaf.ts'
import { PromiseSink } from './sinks.ts'

/** The most runs that are kept for later calls, for all policies together. */
const maxSpares = 256

const promiseThen = Promise.prototype.then
let spare: RelaxedRun | undefined
let spares = 0

/** Runs a call that nothing can cancel through a flow around the function alone; undefined when the flow wants to be there from the start. */
export function executeRelaxed(flow: RelaxedFlow, call: CallState): Promise<unknown> | undefined {
  const attempt = flow.startRelaxed(call)
  if (attempt === undefined) return undefined
  let run = spare
  if (run === undefined) run = new RelaxedRun()
  else {
    spare = run.nextSpare
    spares--
  }
  return run.execute(flow, call, attempt)
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
