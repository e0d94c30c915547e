import type { Priority } from '../core/call.ts'

/** How a request ended, for the one who made it. */
export const requestOutcomes = ['answered', 'substituted', 'failed', 'refused', 'timedOut', 'unfinished'] as const

/**
 * `answered` in time by the dependency; `substituted` in time by the pipeline itself (a fallback); `failed` with an error; `refused` by
 * the pipeline; `timedOut` by the pipeline or its caller's patience; `unfinished` when the simulation ended.
 */
export type RequestOutcome = (typeof requestOutcomes)[number]

export const priorities: readonly Priority[] = ['low', 'normal', 'high', 'critical']

const unfinished = requestOutcomes.indexOf('unfinished')
const answered = requestOutcomes.indexOf('answered')

/** Requests as columns: a simulation of a million requests is 40 MB of them, and no object. */
export class Tally {
  length = 0
  private arrivals = new Float64Array(4_096)
  private latencies = new Float64Array(4_096)
  private ends = new Uint8Array(4_096)
  private tries = new Uint16Array(4_096)
  private senders = new Uint16Array(4_096)
  private ranks = new Uint8Array(4_096)
  private refusals = new Uint16Array(4_096)
  private falseRefusals = new Uint16Array(4_096)

  /** A request has come: answers its number. */
  add(atMs: number, client: number, priority: number): number {
    if (this.length === this.arrivals.length) this.grow()
    const row = this.length++
    this.arrivals[row] = atMs
    this.senders[row] = client
    this.ranks[row] = priority
    this.ends[row] = unfinished
    return row
  }

  end(row: number, outcome: RequestOutcome, atMs: number): void {
    this.ends[row] = requestOutcomes.indexOf(outcome)
    this.latencies[row] = atMs - (this.arrivals[row] as number)
  }

  /** The pipeline called the dependency: answers how often it did so for this request. */
  attempt(row: number): number {
    return ++this.tries[row]!
  }

  refusal(row: number, belowCapacity: boolean): void {
    this.refusals[row]!++
    if (belowCapacity) this.falseRefusals[row]!++
  }

  arrivedAt(row: number): number {
    return this.arrivals[row] as number
  }

  client(row: number): number {
    return this.senders[row] as number
  }

  priority(row: number): number {
    return this.ranks[row] as number
  }

  attempts(row: number): number {
    return this.tries[row] as number
  }

  refusalsOf(row: number): number {
    return this.refusals[row] as number
  }

  falseRefusalsOf(row: number): number {
    return this.falseRefusals[row] as number
  }

  outcome(row: number): RequestOutcome {
    return requestOutcomes[this.ends[row] as number] as RequestOutcome
  }

  isAnswered(row: number): boolean {
    return this.ends[row] === answered
  }

  /** From arrival to end, in ms. */
  latency(row: number): number {
    return this.latencies[row] as number
  }

  private grow(): void {
    const size = this.length * 2
    this.arrivals = enlarged(this.arrivals, new Float64Array(size))
    this.latencies = enlarged(this.latencies, new Float64Array(size))
    this.ends = enlarged(this.ends, new Uint8Array(size))
    this.tries = enlarged(this.tries, new Uint16Array(size))
    this.senders = enlarged(this.senders, new Uint16Array(size))
    this.ranks = enlarged(this.ranks, new Uint8Array(size))
    this.refusals = enlarged(this.refusals, new Uint16Array(size))
    this.falseRefusals = enlarged(this.falseRefusals, new Uint16Array(size))
  }
}

function enlarged<A extends Float64Array | Uint8Array | Uint16Array>(from: A, to: A): A {
  to.set(from)
  return to
}
