import type { Edge } from './compile.ts'

/** A transition that was made. */
export interface HistoryEntry<S extends string = string, E extends string = string> {
  readonly from: S
  readonly to: S
  readonly event: E
  /** Epoch ms. */
  readonly at: number
}

export type Step = Pick<Edge, 'from' | 'to' | 'event'>

/**
 * The latest transitions: how many were ever made, then a step and its time for each. A ring that grows by doubling and is nothing
 * but an array, since there may be very many machines that make few transitions.
 */
export type History = (Step | number)[]

/** Takes a transition in; answers with the history, which may be another array. */
export function remember(history: History | undefined, size: number, step: Step, at: number): History {
  if (history === undefined) return [1, step, at]
  const made = history[0] as number
  const place = 1 + 2 * (made % size)
  const grown = place < history.length ? history : grow(history, size)
  grown[0] = made + 1
  grown[place] = step
  grown[place + 1] = at
  return grown
}

/** Oldest first. */
export function entriesOf(history: History | undefined, size: number): HistoryEntry[] {
  if (history === undefined) return []
  const made = history[0] as number
  const kept = Math.min(made, size)
  return Array.from({ length: kept }, (_, index) => {
    const place = 1 + 2 * ((made - kept + index) % size)
    const { from, to, event } = history[place] as Step
    return { from: from.name, to: to.name, event, at: history[place + 1] as number }
  })
}

/** Epoch ms of the latest transition. */
export function latestIn(history: History | undefined, size: number): number | undefined {
  return history === undefined ? undefined : (history[2 + 2 * (((history[0] as number) - 1) % size)] as number)
}

function grow(history: History, size: number): History {
  const length = 1 + Math.min(2 * size, 2 * (history.length - 1))
  return Array.from({ length }, (_, index) => history[index] ?? 0)
}
