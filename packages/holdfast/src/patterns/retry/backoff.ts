import { durationMs, type Duration } from '../../core/duration.ts'
import { choiceOption, invalidOption, numberOption, ratioOption } from '../../core/options.ts'
import type { Random } from '../../core/random.ts'

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
   * remembers: Polly's DecorrelatedJitterBackoffV2, median about initialDelay · 2^(attempt − 1); takes no `jitter`), or a function that
   * answers with a duration. @defaultValue 'exponential'
   */
  readonly backoff?: BackoffKind | ((input: BackoffInput) => Duration)
  /** Delay before the first retry. @defaultValue '1s' */
  readonly initialDelay?: Duration
  /** No delay exceeds it, jitter included. @defaultValue '30s' */
  readonly maxDelay?: Duration
  /** Growth of the exponential back-off, 1 or more. @defaultValue 2 */
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

export function backoff(owner: string, options: BackoffOptions, random: Random): Backoff {
  const maxDelayMs = durationMs(owner, 'maxDelay', options.maxDelay ?? '30s')
  const custom = options.backoff
  if (typeof custom === 'function') {
    const next = (input: BackoffInput): number => Math.min(maxDelayMs, durationMs(owner, 'backoff', custom(input)))
    return { maxDelayMs, description: { backoff: 'function', maxDelayMs }, delays: () => ({ next }) }
  }
  const kind = choiceOption(owner, 'backoff', custom ?? 'exponential', kinds)
  const initialDelayMs = durationMs(owner, 'initialDelay', options.initialDelay ?? Math.min(1_000, maxDelayMs))
  if (initialDelayMs > maxDelayMs) throw invalidOption(owner, 'initialDelay', options.initialDelay, `at most maxDelay (${maxDelayMs} ms)`)
  if (kind === 'decorrelated') {
    if (options.jitter !== undefined) throw invalidOption(owner, 'jitter', options.jitter, "absent with the 'decorrelated' back-off, which has its own")
    return { maxDelayMs, description: { backoff: kind, initialDelayMs, maxDelayMs }, delays: () => decorrelated(initialDelayMs, maxDelayMs, random) }
  }
  const jitter = choiceOption(owner, 'jitter', options.jitter ?? 'full', jitters)
  const jitterRatio = ratioOption(owner, 'jitterRatio', options.jitterRatio ?? 0.1)
  const factor = numberOption(owner, 'factor', options.factor ?? 2, { min: 1, max: 1_000 })
  const incrementMs = durationMs(owner, 'increment', options.increment ?? initialDelayMs)
  const growth = { exponential: { factor }, linear: { incrementMs }, constant: {} }[kind]
  const grow = {
    exponential: (attempt: number): number => initialDelayMs * factor ** (attempt - 1),
    linear: (attempt: number): number => initialDelayMs + incrementMs * (attempt - 1),
    constant: (): number => initialDelayMs,
  }[kind]
  const next = ({ attempt }: BackoffInput): number => {
    const delay = Math.min(maxDelayMs, initialDelayMs === 0 && kind === 'exponential' ? 0 : grow(attempt))
    return Math.min(maxDelayMs, withJitter(delay, jitter, jitterRatio, random))
  }
  const description = {
    backoff: kind,
    initialDelayMs,
    maxDelayMs,
    ...growth,
    jitter,
    ...(jitter === 'proportional' ? { jitterRatio } : {}),
  }
  return { maxDelayMs, description, delays: () => ({ next }) }
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

/**
 * Decorrelated jitter, version 2: differences of a smooth function of (attempt + random), so that delays of one sequence are
 * spread without clustering at the edges. Formula and constants: Polly.Contrib.WaitAndRetry, DecorrelatedJitterBackoffV2.
 */
function decorrelated(initialDelayMs: number, maxDelayMs: number, random: Random): Delays {
  const steepness = 4
  const medianScale = 1 / 1.4
  let previous = 0
  return {
    next({ attempt }) {
      const position = attempt - 1 + random()
      const current = 2 ** Math.min(position, 1_000) * Math.tanh(Math.sqrt(steepness * position))
      const delay = Math.max(0, current - previous) * medianScale * initialDelayMs
      previous = current
      return Math.min(maxDelayMs, delay)
    },
  }
}
