import type { Call } from '../core/call.ts'
import { isHoldfastError } from '../core/errors.ts'
import type { CallOptions } from '../core/policy.ts'
import type { Random } from '../core/random.ts'
import { isRefusal } from '../core/refusal.ts'
import type { Outcome } from '../core/sinks.ts'
import { sample, type Distribution } from './distribution.ts'
import type { SimulatedAnswer } from './dependency.ts'
import type { Dice } from './dice.ts'
import { SimulatedEvent } from './event-queue.ts'
import type { RequestOutcome, Tally } from './tally.ts'
import type { VirtualTime } from './virtual-time.ts'

/** What can be put between the callers and the dependency: any policy, or anything that runs a function the same way. */
export interface SimulatedPipeline {
  tryExecute(run: (call: Call) => Promise<unknown>, options?: CallOptions): Promise<Outcome<unknown>>
  dispose?(): void
}

/** What the pipeline calls. */
export interface RequestTarget {
  /** Does the work of a request's attempt; the numbers of `random` belong to that attempt. */
  call(call: Call, random: Random, row: number, attempt: number): Promise<SimulatedAnswer>
  /** Whether it could take this request right now. */
  couldTake(row: number): boolean
}

/** What requests of one load have in common. */
export interface RequestKind {
  readonly deadlineMs: number
  readonly retries: number
  readonly retryDelay: Distribution | undefined
}

/** Whom requests tell how they fare. */
export interface RequestWorld {
  readonly time: VirtualTime
  readonly tally: Tally
  readonly dice: Dice
  attempted(row: number, attempt: number): void
  ended(row: number, outcome: RequestOutcome): void
}

/** Occasions at which a request rolls dice, beside its attempts (which are numbered from 1). */
export const whereFrom = 0
const retryPauses = 1_000_000

/** One request of a caller, until the caller has an answer or gives up. */
export class Request extends SimulatedEvent {
  readonly row: number
  private readonly world: RequestWorld
  private readonly kind: RequestKind
  private readonly pipeline: SimulatedPipeline
  private readonly target: RequestTarget
  private readonly options: CallOptions | undefined
  private tries = 0
  /** Whether the caller waits for an answer, not for its next try. */
  private waits = false

  constructor(
    row: number,
    world: RequestWorld,
    kind: RequestKind,
    pipeline: SimulatedPipeline,
    target: RequestTarget,
    options: CallOptions | undefined,
  ) {
    super()
    this.row = row
    this.world = world
    this.kind = kind
    this.pipeline = pipeline
    this.target = target
    this.options = options
  }

  try(): void {
    const number = ++this.tries
    this.waits = true
    const { time } = this.world
    if (this.kind.deadlineMs !== Infinity) time.schedule(this, time.now() + this.kind.deadlineMs)
    void this.pipeline.tryExecute(this.work, this.options).then(
      (outcome) => this.hear(number, outcome),
      () => this.give(number, 'failed'),
    )
  }

  fire(): void {
    if (this.waits) this.give(this.tries, 'timedOut')
    else this.try()
  }

  private readonly work = (call: Call): Promise<SimulatedAnswer> => {
    const { dice, tally } = this.world
    const attempt = tally.attempt(this.row)
    this.world.attempted(this.row, attempt)
    return this.target.call(call, dice.take(this.row, attempt).roll, this.row, attempt)
  }

  private hear(number: number, outcome: Outcome<unknown>): void {
    if (outcome.ok) this.give(number, isAnswer(outcome.value) ? 'answered' : 'substituted')
    else if (isRefusal(outcome.refusal) && outcome.refusal.code !== 'ERR_DEADLINE_EXCEEDED') {
      this.world.tally.refusal(this.row, this.target.couldTake(this.row))
      this.give(number, 'refused')
    } else this.give(number, outcome.refusal !== undefined || isTimeout(outcome.error) ? 'timedOut' : 'failed')
  }

  private give(number: number, outcome: RequestOutcome): void {
    if (number !== this.tries || !this.waits) return // an answer nobody waits for any more
    this.waits = false
    const { time, tally, dice } = this.world
    time.cancel(this)
    if (outcome !== 'answered' && outcome !== 'substituted' && this.tries <= this.kind.retries) {
      const { retryDelay } = this.kind
      const delayMs = retryDelay === undefined ? 0 : sample(retryDelay, dice.take(this.row, retryPauses + number).roll)
      time.schedule(this, time.now() + delayMs)
      return
    }
    tally.end(this.row, outcome, time.now())
    this.world.ended(this.row, outcome)
  }
}

function isAnswer(value: unknown): boolean {
  return typeof value === 'object' && value !== null && (value as Partial<SimulatedAnswer>).simulated === true
}

function isTimeout(error: unknown): boolean {
  return isHoldfastError(error, 'ERR_TIMEOUT') || isHoldfastError(error, 'ERR_DEADLINE_EXCEEDED')
}
