import { HoldfastError } from '../errors.ts'
import { show } from '../options.ts'
import { noAnswer, type ReadOptions, type Resolution, type Unavailable, type WriteOptions } from './answers.ts'
import type { Port, Profile } from './port.ts'

/** Attempts that changed something and are remembered. */
const rememberedAttempts = 10_000

/** Marks an attempt that must never be applied. */
const voided: unique symbol = Symbol('void')

/** What all ports of one process promise: they are exact, and forget with the process. */
const memoryProfile: Profile = Object.freeze({
  engine: 'memory',
  scope: 'process',
  clock: 'local',
  durability: 'memory',
  consistency: 'linearizable',
  fencing: true,
  txWithUserData: false,
  attempts: Object.freeze({ forMs: Infinity, count: rememberedAttempts }),
})

/** The answers of the attempts that changed something; the oldest are forgotten first. */
export class AttemptLog {
  private readonly answers = new Map<string, unknown>()

  recall(attempt: string): unknown {
    const answer = this.answers.get(attempt)
    return answer === voided ? noAnswer : answer
  }

  remember(attempt: string, answer: unknown): void {
    this.answers.set(attempt, answer)
    if (this.answers.size <= rememberedAttempts) return
    for (const oldest of this.answers.keys()) {
      this.answers.delete(oldest)
      return
    }
  }

  resolve(attempt: string): 'applied' | 'void' {
    const answer = this.answers.get(attempt)
    if (answer === undefined) this.remember(attempt, voided)
    return answer === undefined || answer === voided ? 'void' : 'applied'
  }
}

/** A client of a store in this process: what is the same for all verbs. Everything happens in the very call, so nothing is ambiguous. */
export abstract class MemoryPort implements Port {
  readonly profile: Profile = memoryProfile
  private readonly attempts: AttemptLog
  protected closed = false

  protected constructor(attempts: AttemptLog) {
    this.attempts = attempts
  }

  async ready({ deadlineMs }: ReadOptions): Promise<boolean> {
    return this.canAnswer(deadlineMs)
  }

  async resolve(attempt: string, { deadlineMs }: ReadOptions): Promise<Resolution> {
    if (!this.canAnswer(deadlineMs)) return noAnswer
    return { ok: true, state: this.attempts.resolve(checkedAttempt(attempt)) }
  }

  async close(): Promise<void> {
    this.closed = true
  }

  /** Runs a verb that reads. */
  protected read<Answer>({ deadlineMs }: ReadOptions, verb: () => Answer): Answer | Unavailable {
    return this.canAnswer(deadlineMs) ? verb() : noAnswer
  }

  /** Runs a verb once for each attempt. It says whether it changed anything: only then is its answer remembered. */
  protected write<Answer>(
    { deadlineMs, attempt }: WriteOptions,
    verb: () => { readonly answer: Answer; readonly changed: boolean },
  ): Answer | Unavailable {
    checkedAttempt(attempt)
    if (!this.canAnswer(deadlineMs)) return noAnswer
    const before = this.attempts.recall(attempt) as Answer | Unavailable | undefined
    if (before !== undefined) return before
    const { answer, changed } = verb()
    if (changed) this.attempts.remember(attempt, answer)
    return answer
  }

  private canAnswer(deadlineMs: number): boolean {
    return !this.closed && deadlineMs > 0
  }
}

function checkedAttempt(attempt: unknown): string {
  return checkedText('attempt', attempt, 1, 255)
}

/** @throws HoldfastError `ERR_INVALID_ARGUMENT` */
export function checkedText(argument: string, value: unknown, min: number, max: number): string {
  if (typeof value === 'string' && value.length >= min && value.length <= max) return value
  throw invalidArgument(argument, value, `a text of ${min} to ${max} characters`)
}

/** @throws HoldfastError `ERR_INVALID_ARGUMENT` */
export function checkedNumber(argument: string, value: unknown, min: number): number {
  if (typeof value === 'number' && value >= min) return value
  throw invalidArgument(argument, value, `a number from ${min} up`)
}

export function invalidArgument(argument: string, value: unknown, expected: string): HoldfastError {
  return new HoldfastError({ code: 'ERR_INVALID_ARGUMENT', message: `'${argument}' must be ${expected}, got ${show(value)}` })
}
