import { invalidOption } from '../core/options.ts'

/** From `fromMs` on the value is `value`; with `rampTo` it moves there in a straight line until the next step. */
export interface ScheduleStep {
  /** Ms since the start of the simulation. The first step begins at 0. */
  readonly fromMs: number
  readonly value: number
  readonly rampTo?: number
}

/** A figure that may change while the simulation runs: a number, steps and ramps as data, or a function of the time in ms. */
export type Schedule = number | readonly ScheduleStep[] | ((atMs: number) => number)

/** How finely a value that moves is followed where it is integrated. */
const sliceMs = 10

/** A {@link Schedule} that can be asked quickly; questions mostly go forward in time. */
export interface Curve {
  at(atMs: number): number
  /** Until when the answer of `at(atMs)` may be used. */
  holdsUntil(atMs: number): number
}

/** @throws HoldfastError `ERR_INVALID_OPTION` when steps are not in order or a value is no number of at least `min`. */
export function curveOf(owner: string, option: string, schedule: Schedule, min = 0): Curve {
  if (typeof schedule === 'function') return new FunctionCurve(owner, option, schedule, min)
  if (typeof schedule === 'number') return new StepCurve([{ fromMs: 0, value: checked(owner, option, schedule, min) }])
  if (!Array.isArray(schedule) || schedule.length === 0) {
    throw invalidOption(owner, option, schedule, 'a number, a list of steps { fromMs, value, rampTo? }, or a function of the time in ms')
  }
  const steps = schedule as readonly ScheduleStep[]
  for (const [index, { fromMs, value, rampTo }] of steps.entries()) {
    const earliest = index === 0 ? 0 : (steps[index - 1] as ScheduleStep).fromMs
    const inOrder = index === 0 ? fromMs === 0 : fromMs > earliest
    if (!inOrder) throw invalidOption(owner, `${option}[${index}].fromMs`, fromMs, index === 0 ? '0' : `more than ${earliest}`)
    checked(owner, `${option}[${index}].value`, value, min)
    if (rampTo === undefined) continue
    checked(owner, `${option}[${index}].rampTo`, rampTo, min)
    if (index === steps.length - 1)
      throw invalidOption(owner, `${option}[${index}].rampTo`, rampTo, 'followed by a step where the ramp ends')
  }
  return new StepCurve(steps)
}

function checked(owner: string, option: string, value: unknown, min: number): number {
  if (typeof value === 'number' && value >= min && value < Infinity) return value
  throw invalidOption(owner, option, value, `a number from ${min} up`)
}

class StepCurve implements Curve {
  private readonly steps: readonly ScheduleStep[]
  private index = 0

  constructor(steps: readonly ScheduleStep[]) {
    this.steps = steps
  }

  at(atMs: number): number {
    const step = this.find(atMs)
    if (step.rampTo === undefined) return step.value
    const share = (atMs - step.fromMs) / (this.nextFrom() - step.fromMs)
    return step.value + (step.rampTo - step.value) * share
  }

  holdsUntil(atMs: number): number {
    const step = this.find(atMs)
    const end = this.nextFrom()
    return step.rampTo === undefined ? end : Math.min(end, atMs + sliceMs)
  }

  private find(atMs: number): ScheduleStep {
    if (atMs < (this.steps[this.index] as ScheduleStep).fromMs) this.index = 0
    while (this.nextFrom() <= atMs) this.index++
    return this.steps[this.index] as ScheduleStep
  }

  private nextFrom(): number {
    return this.steps[this.index + 1]?.fromMs ?? Infinity
  }
}

class FunctionCurve implements Curve {
  private readonly owner: string
  private readonly option: string
  private readonly valueAt: (atMs: number) => number
  private readonly min: number

  constructor(owner: string, option: string, valueAt: (atMs: number) => number, min: number) {
    this.owner = owner
    this.option = option
    this.valueAt = valueAt
    this.min = min
  }

  at(atMs: number): number {
    return checked(this.owner, `${this.option}(${atMs})`, this.valueAt(atMs), this.min)
  }

  holdsUntil(atMs: number): number {
    return atMs + sliceMs
  }
}
