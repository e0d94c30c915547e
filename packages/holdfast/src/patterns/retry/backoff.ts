import { durationMs, type Duration } from '../../core/duration.ts'
import { choiceOption, invalidOption, numberOption, ratioOption } from '../../core/options.ts'
import type { Random } from '../../core/random.ts'
import { decorrelatedDelays } from './decorrelated.ts'

/** What a custom back-off is told. */
export interface BackoffInput {
  /** The attempt that has failed, 1 for the first. */
  readonly attempt: number
  readonly error: unknown
  /** The delay before this attempt, in ms; 0 before the first retry. */
  readonly previousDelayMs: number
}

export type BackoffKind = 'exponential' | 'linear' | 'constant' | 'decorrelated'
export type JitterKind = 'full' | 'equal' | 'proportional' | 'none'

export interface BackoffOptions {
  /**
   * How the delay grows: `exponential` (× factor), `linear` (+ increment), `constant`, `decorrelated` (exponential whose jitter
   * remembers the delay before: the median before retry n is initialDelay · 2^(n − 1); takes no `jitter`), or a function that
   * answers with a duration. @defaultValue 'exponential'
   */
  readonly backoff?: BackoffKind | ((input: BackoffInput) => Duration)
  /** Delay before the first retry. @defaultValue '1s', or `maxDelay` if that is less */
  readonly initialDelay?: Duration
  /** No delay exceeds it, jitter included. @defaultValue '30s' */
  readonly maxDelay?: Duration
  /** Growth of the exponential back-off, 1 to 1,000. @defaultValue 2 */
  readonly factor?: number
  /** Growth of the linear back-off. @defaultValue the initial delay */
  readonly increment?: Duration
  /**
   * `full`: uniform from 0 to the delay; `equal`: from half of it to all of it; `proportional`: ± `jitterRatio` around it; `none`.
   * AWS Architecture Blog, "Exponential Backoff And Jitter" (2015). @defaultValue 'full'
   */
  readonly jitter?: JitterKind
  /** Share of the delay by which `proportional` varies it. @defaultValue 0.1 */
  readonly jitterRatio?: number
}

export const backoffOptionNames = ['backoff', 'initialDelay', 'maxDelay', 'factor', 'increment', 'jitter', 'jitterRatio'] as const

/** The delays of one sequence of attempts. */
export interface Delays {
  next(input: BackoffInput): number
}

/** Validated back-off settings, which make {@link Delays}. */
export interface Backoff {
  readonly maxDelayMs: number
  readonly description: Readonly<Record<string, unknown>>
  delays(): Delays
}

const kinds = ['exponential', 'linear', 'constant', 'decorrelated'] as const
const jitters = ['full', 'equal', 'proportional', 'none'] as const

/** Which back-offs read an option. In any other it would be without effect, so it is refused there. */
const readers = {
  initialDelay: kinds,
  factor: ['exponential'],
  increment: ['linear'],
  jitter: ['exponential', 'linear', 'constant'],
  jitterRatio: ['exponential', 'linear', 'constant'],
} as const satisfies Partial<Record<keyof BackoffOptions, readonly BackoffKind[]>>

export function backoff(owner: string, options: BackoffOptions, random: Random): Backoff {
  const maxDelayMs = durationMs(owner, 'maxDelay', options.maxDelay ?? '30s')
  const custom = options.backoff
  if (typeof custom === 'function') {
    refuseUnread(owner, 'function', options)
    const next = (input: BackoffInput): number => Math.min(maxDelayMs, durationMs(owner, 'backoff', custom(input)))
    return { maxDelayMs, description: { backoff: 'function', maxDelayMs }, delays: () => ({ next }) }
  }
  const kind = choiceOption(owner, 'backoff', custom ?? 'exponential', kinds)
  refuseUnread(owner, kind, options)
  const initialDelayMs = durationMs(owner, 'initialDelay', options.initialDelay ?? Math.min(1_000, maxDelayMs))
  if (initialDelayMs > maxDelayMs) throw invalidOption(owner, 'initialDelay', options.initialDelay, `at most maxDelay (${maxDelayMs} ms)`)
  if (kind === 'decorrelated') {
    const description = { backoff: kind, initialDelayMs, maxDelayMs }
    return { maxDelayMs, description, delays: () => decorrelatedDelays(initialDelayMs, maxDelayMs, random) }
  }
  const jitter = choiceOption(owner, 'jitter', options.jitter ?? 'full', jitters)
  const jitterRatio = ratioOption(owner, 'jitterRatio', options.jitterRatio ?? 0.1)
  if (options.jitterRatio !== undefined && jitter !== 'proportional') {
    throw invalidOption(owner, 'jitterRatio', options.jitterRatio, `absent with the '${jitter}' jitter; 'proportional' reads it`)
  }
  const factor = numberOption(owner, 'factor', options.factor ?? 2, { min: 1, max: 1_000 })
  const incrementMs = durationMs(owner, 'increment', options.increment ?? initialDelayMs)
  const growth = { exponential: { factor }, linear: { incrementMs }, constant: {} }[kind]
  const grow = {
    exponential: (attempt: number): number => (initialDelayMs === 0 ? 0 : initialDelayMs * factor ** (attempt - 1)),
    linear: (attempt: number): number => initialDelayMs + incrementMs * (attempt - 1),
    constant: (): number => initialDelayMs,
  }[kind]
  const next = ({ attempt }: BackoffInput): number =>
    Math.min(maxDelayMs, withJitter(Math.min(maxDelayMs, grow(attempt)), jitter, jitterRatio, random))
  const ratio = jitter === 'proportional' ? { jitterRatio } : {}
  return { maxDelayMs, description: { backoff: kind, initialDelayMs, maxDelayMs, ...growth, jitter, ...ratio }, delays: () => ({ next }) }
}

function refuseUnread(owner: string, kind: BackoffKind | 'function', options: BackoffOptions): void {
  for (const [option, readBy] of Object.entries(readers)) {
    const value = options[option as keyof typeof readers]
    if (value === undefined || (readBy as readonly string[]).includes(kind)) continue
    const given = kind === 'function' ? 'a back-off function' : `the '${kind}' back-off`
    throw invalidOption(owner, option, value, `absent with ${given}, which does not read it`)
  }
}

function withJitter(delay: number, jitter: JitterKind, ratio: number, random: Random): number {
  switch (jitter) {
    case 'full':
      return delay * random()
    case 'equal':
      return delay * (0.5 + 0.5 * random())
    case 'proportional':
      return delay * (1 - ratio + 2 * ratio * random())
    case 'none':
      return delay
  }
}
