import type { Abortable } from '../core/abort-hub.ts'
import type { Call } from '../core/call.ts'
import { systemClock, type Clock, type Timer } from '../core/clock.ts'
import { parseDuration } from '../core/duration.ts'
import { HoldfastError } from '../core/errors.ts'
import { checkOptionNames, choiceOption } from '../core/options.ts'
import { SimulatedFailure } from './dependency.ts'

export interface FaultScriptOptions {
  /** What comes after the script: success, its last step for ever, or the script again. @defaultValue 'ok' */
  readonly afterwards?: 'ok' | 'last' | 'repeat'
  /** What slow calls wait on. */
  readonly clock?: Clock
}

/** A function that behaves as its script says. Its answers are the numbers of its calls: 1, 2, 3 … */
export interface FaultScript {
  (call?: Call): Promise<number>
  /** How often it was called. */
  readonly calls: number
}

interface Step {
  readonly kind: 'ok' | 'fail' | 'hang'
  readonly afterMs: number
  readonly status: number
}

const stepText = /^(?:(\d+)\s+)?(ok|fail|slow|hang)(?:\s+(\S+))?$/

/**
 * A dependency for unit tests: steps are separated by commas, each with how many calls it is for. `ok` and `fail` answer at once or after a
 * duration, `fail 429` fails with a status, `slow 2s` succeeds after it, `hang` never answers. A call that is cancelled fails with the reason.
 * @throws HoldfastError `ERR_INVALID_ARGUMENT` naming the step that cannot be read.
 * @example `await policy.execute(faultScript('3 ok, 5 fail, 1 slow 2s, hang', { clock }))`
 */
export function faultScript(script: string, options: FaultScriptOptions = {}): FaultScript {
  checkOptionNames('faultScript', options, ['afterwards', 'clock'])
  const afterwards = choiceOption('faultScript', 'afterwards', options.afterwards ?? 'ok', ['ok', 'last', 'repeat'])
  const steps = script.split(',').flatMap(readStep)
  const clock = options.clock ?? systemClock
  let calls = 0
  const run = (call?: Call): Promise<number> => {
    const number = ++calls
    return perform(stepOf(steps, number - 1, afterwards), number, clock, call)
  }
  return Object.defineProperty(run, 'calls', { get: () => calls }) as FaultScript
}

const success: Step = { kind: 'ok', afterMs: 0, status: 200 }
const maxSteps = 1_000_000

function stepOf(steps: readonly Step[], index: number, afterwards: 'ok' | 'last' | 'repeat'): Step {
  if (afterwards === 'repeat') return steps[index % steps.length] as Step
  return steps[index] ?? (afterwards === 'last' ? (steps.at(-1) as Step) : success)
}

function readStep(text: string): readonly Step[] {
  const match = stepText.exec(text.trim())
  if (match === null) throw unreadable(text, "[count] ok | fail | slow | hang, as in '3 ok', 'fail 503' or 'slow 2s'")
  const count = Number(match[1] ?? 1)
  if (count < 1 || count > maxSteps) throw unreadable(text, `a count from 1 to ${maxSteps}`)
  return Array.from<Step>({ length: count }).fill(readBehaviour(text, match[2] as string, match[3]))
}

function readBehaviour(text: string, word: string, detail: string | undefined): Step {
  if (word === 'hang') {
    if (detail !== undefined) throw unreadable(text, "nothing after 'hang'")
    return { kind: 'hang', afterMs: 0, status: 0 }
  }
  if (word === 'fail' && detail !== undefined && /^[1-5]\d\d$/.test(detail)) return { kind: 'fail', afterMs: 0, status: Number(detail) }
  const afterMs = detail === undefined ? undefined : parseDuration(detail)
  if (detail !== undefined && afterMs === undefined) throw unreadable(text, "a duration such as '250ms' or '2s'")
  if (word === 'slow' && afterMs === undefined) throw unreadable(text, "a duration after 'slow'")
  return { kind: word === 'fail' ? 'fail' : 'ok', afterMs: afterMs ?? 0, status: 500 }
}

function unreadable(text: string, expected: string): HoldfastError {
  return new HoldfastError({
    code: 'ERR_INVALID_ARGUMENT',
    message: `faultScript: cannot read the step '${text.trim()}'; expected ${expected}`,
  })
}

function perform(step: Step, number: number, clock: Clock, call: Call | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    let timer: Timer | undefined
    const waiter: Abortable = {
      cancel: (reason) => {
        timer?.cancel()
        reject(reason)
      },
    }
    const end = (): void => {
      call?.offCancel(waiter)
      if (step.kind === 'ok') resolve(number)
      else reject(new SimulatedFailure(step.status, `call ${number} fails, as its script says`))
    }
    if (step.kind !== 'hang' && step.afterMs === 0) {
      end()
      return
    }
    call?.onCancel(waiter)
    if (step.kind !== 'hang') timer = clock.setTimer(end, step.afterMs)
  })
}
