import { getEventListeners } from 'node:events'
import { isHoldfastError, type Clock, type Outcome, type Random } from 'holdfast'
import { mixedOptions, mixedWork, scene } from './scene.ts'

export interface SoakOptions {
  readonly calls: number
  readonly clock: Clock
  readonly random: Random
  /** Lets timers and other turns of the event loop come. */
  readonly breathe: () => Promise<unknown>
  /** Called this often on the way, with all quiet in between. */
  readonly checkpoints: number
  readonly onCheckpoint: (callsDone: number) => void
}

export interface SoakResult {
  /** Calls by how they ended. */
  readonly outcomes: Readonly<Record<string, number>>
  readonly attempts: number
  /** Calls that were under way at most at the same time. */
  readonly callers: number
  /** What was not over although every caller had an answer and all work had ended; empty if nothing. */
  readonly leftOver: Readonly<Record<string, number>>
}

const callers = 180
/** Every fifth stretch of so many calls is a storm. */
const stretch = 5_000
const breathers = 20

/** Sends calls through every pattern until so many have been answered, and looks at what is left behind. */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const { calls, clock, random, breathe, checkpoints, onCheckpoint } = options
  const { guarded, busy, dispose } = scene(clock, random)
  const longLived = new AbortController().signal
  const outcomes: Record<string, number> = {}
  let begun = 0
  let attempts = 0
  let until = 0
  let turn = new Turn()
  const work = mixedWork(clock, random, () => begun % (5 * stretch) < stretch)

  const caller = async (): Promise<void> => {
    while (begun < until) {
      begun++
      const outcome = await guarded.tryExecute(
        (call) => {
          attempts++
          return work(call)
        },
        mixedOptions(random, longLived),
      )
      const kind = kindOf(outcome)
      outcomes[kind] = (outcomes[kind] ?? 0) + 1
      // who was refused comes back later, and so does everybody now and then: else no timer would ever have its turn
      if (outcome.refusal !== undefined || begun % breathers === 0) await turn.over
    }
  }

  for (let checkpoint = 1; checkpoint <= checkpoints; checkpoint++) {
    until = Math.round((calls * checkpoint) / checkpoints)
    const round = Promise.all(Array.from({ length: callers }, caller))
    const progress = { answered: false }
    const ended = round.finally(() => {
      progress.answered = true
    })
    while (!progress.answered) {
      await breathe()
      turn.end()
      turn = new Turn()
    }
    await ended
    for (let turns = 0; Object.values(busy()).some((count) => count > 0) && turns < 10_000; turns++) await breathe()
    onCheckpoint(begun)
  }
  const leftOver = Object.entries({ ...busy(), 'listeners on the long-lived signal': getEventListeners(longLived, 'abort').length })
  dispose()
  return { outcomes, attempts, callers, leftOver: Object.fromEntries(leftOver.filter(([, count]) => count > 0)) }
}

/** A turn of the event loop that callers may wait for the end of. */
class Turn {
  readonly over: Promise<void>
  readonly end: () => void

  constructor() {
    let end = (): void => undefined
    this.over = new Promise((resolve) => {
      end = resolve
    })
    this.end = end
  }
}

function kindOf(outcome: Outcome<unknown>): string {
  if (outcome.ok) return outcome.value === 'instead' ? 'substitute' : 'success'
  if (outcome.refusal !== undefined) return `refused: ${outcome.refusal.code}`
  if (isHoldfastError(outcome.error)) return `given up: ${outcome.error.code}`
  return outcome.error instanceof Error ? `failed: ${outcome.error.message}` : 'failed'
}
