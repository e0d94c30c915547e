import { choiceOption } from '../core/options.ts'
import type { Random } from '../core/random.ts'
import { exponential } from './distribution.ts'
import { SimulatedEvent } from './event-queue.ts'
import type { SimulatedLoad } from './scenario.ts'
import { curveOf, type Curve } from './schedule.ts'
import type { VirtualTime } from './virtual-time.ts'

/** Lets requests of one load come until the end: a Poisson process whose rate may change, or evenly spaced. */
export class Arrivals extends SimulatedEvent {
  private readonly time: VirtualTime
  private readonly rate: Curve
  private readonly evenly: boolean
  private readonly random: Random
  private readonly endMs: number
  private readonly arrive: () => void

  constructor(owner: string, load: SimulatedLoad, time: VirtualTime, endMs: number, random: Random, arrive: () => void) {
    super()
    this.time = time
    this.rate = curveOf(owner, 'rate', load.rate)
    this.evenly = choiceOption(owner, 'arrivals', load.arrivals ?? 'poisson', ['poisson', 'regular']) === 'regular'
    this.endMs = endMs
    this.random = random
    this.arrive = arrive
  }

  begin(): void {
    this.scheduleNext()
  }

  fire(): void {
    this.scheduleNext()
    this.arrive()
  }

  /** The next request comes when so much has been expected since the last: 1, or exponentially distributed with mean 1. */
  private scheduleNext(): void {
    let due = this.evenly ? 1 : exponential(this.random)
    let from = this.time.now()
    while (from < this.endMs) {
      const perMs = this.rate.at(from) / 1_000
      const until = Math.min(this.rate.holdsUntil(from), this.endMs)
      const expected = perMs * (until - from)
      if (expected >= due && perMs > 0) {
        const at = from + due / perMs
        if (at < this.endMs) this.time.schedule(this, at)
        return
      }
      due -= expected
      from = until
    }
  }
}
