/** How a request ended, as the service saw it. */
export const requestOutcomes = [
  /** Answered in full with 2xx. */
  'ok',
  /** 429. */
  'limited',
  /** 503 since places and queue were full. */
  'overloaded',
  /** Met an outage or a cut. */
  'broken',
  /** Never answered. */
  'stalled',
  /** 4xx for a request that was wrong. */
  'invalid',
  /** The client left before the answer. */
  'abandoned',
] as const
export type RequestOutcome = (typeof requestOutcomes)[number]

/** Totals since the service started. `received` is `inFlight` plus all outcomes. */
export interface ServiceStats {
  readonly received: number
  /** Requests for something the same task had asked already: retries, wherever they were made. */
  readonly repeated: number
  readonly inFlight: number
  readonly peakInFlight: number
  readonly outcomes: Readonly<Record<RequestOutcome, number>>
  /** Figures only one kind of service has, e.g. rows in the orders table. */
  readonly extra: Readonly<Record<string, number>>
}

export class StatsCounter {
  private received = 0
  private repeated = 0
  private inFlight = 0
  private peakInFlight = 0
  private readonly outcomes = Object.fromEntries(requestOutcomes.map((name) => [name, 0])) as Record<RequestOutcome, number>

  begin(): void {
    this.received++
    this.inFlight++
    this.peakInFlight = Math.max(this.peakInFlight, this.inFlight)
  }

  repeat(): void {
    this.repeated++
  }

  end(outcome: RequestOutcome): void {
    this.inFlight--
    this.outcomes[outcome]++
  }

  read(extra: Readonly<Record<string, number>>): ServiceStats {
    const { received, repeated, inFlight, peakInFlight, outcomes } = this
    return { received, repeated, inFlight, peakInFlight, outcomes: { ...outcomes }, extra }
  }
}
