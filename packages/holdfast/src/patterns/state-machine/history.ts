import type { Edge } from './compile.ts'

/** A transition that was made. */
export interface HistoryEntry<S extends string = string, E extends string = string> {
  readonly from: S
  readonly to: S
  readonly event: E
  /** Epoch ms. */
  readonly at: number
}

type Step = Pick<Edge, 'from' | 'to' | 'event'>

/** The latest transitions, in a ring that grows by doubling: most machines make few. */
export class History {
  private readonly size: number
  private edges: (Step | undefined)[] = [undefined]
  private times: number[] = [0]
  private length = 0
  /** Where the next one goes once the ring is full. */
  private oldest = 0

  constructor(size: number) {
    this.size = size
  }

  add(edge: Step, at: number): void {
    const { length, size } = this
    if (length === size) {
      this.edges[this.oldest] = edge
      this.times[this.oldest] = at
      this.oldest = (this.oldest + 1) % size
      return
    }
    if (length === this.edges.length) this.grow(Math.min(size, 2 * length))
    this.edges[length] = edge
    this.times[length] = at
    this.length++
  }

  /** Oldest first. */
  entries(): HistoryEntry[] {
    const { edges, times, length, oldest } = this
    return Array.from({ length }, (_, index) => {
      const place = (index + oldest) % length
      const { from, to, event } = edges[place] as Step
      return { from: from.name, to: to.name, event, at: times[place] as number }
    })
  }

  private grow(length: number): void {
    const { edges, times } = this
    this.edges = Array.from({ length }, (_, index) => edges[index])
    this.times = Array.from({ length }, (_, index) => times[index] ?? 0)
  }
}
