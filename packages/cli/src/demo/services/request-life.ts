import type { ServerResponse } from 'node:http'
import type { RequestOutcome, StatsCounter } from './service-stats.ts'

/** From a request's arrival to the end of its connection's interest in it: counts it once, with the right outcome. */
export class RequestLife {
  readonly gone: AbortSignal
  private readonly client = new AbortController()
  private expected: RequestOutcome = 'abandoned'
  private endings: (() => void)[] = []

  constructor(response: ServerResponse, counter: StatsCounter) {
    this.gone = this.client.signal
    counter.begin()
    response.on('error', () => {}) // the client left in the middle of a write; 'close' follows
    response.once('close', () => {
      this.client.abort()
      this.endWork()
      const cameThrough = response.writableFinished || this.expected === 'broken' || this.expected === 'stalled'
      counter.end(cameThrough ? this.expected : 'abandoned')
    })
  }

  /** How the request ends if its client stays. */
  expect(outcome: RequestOutcome): void {
    this.expected = outcome
  }

  whenEnded(run: () => void): void {
    if (this.gone.aborted) run()
    else this.endings.push(run)
  }

  /** The service does nothing more for this request, although its client may still wait. */
  endWork(): void {
    const { endings } = this
    this.endings = []
    for (const run of endings) run()
  }
}
