import type { OpenTime } from './open-time.ts'

/** How often and for how long a circuit has been open; made when it opens first. Instants in monotonic ms. */
export class OpenPeriods {
  /** Openings that the next one follows. */
  openings = 0
  openedAt = 0
  forMs = 0
  /** When the circuit was closed; the growth shrinks from then on. */
  private closedAt = 0

  /** When the present period ends. */
  get endsAt(): number {
    return this.openedAt + this.forMs
  }

  begin(openedAt: number, forMs: number): void {
    this.openedAt = openedAt
    this.forMs = forMs
  }

  /** The circuit closes: growth starts anew, or shrinks from now on. */
  close(now: number, shrinks: boolean): void {
    if (!shrinks) this.openings = 0
    this.closedAt = now
  }

  /** What is left of a closed circuit's openings: the time since it closed has made some of them good. */
  leftAt(now: number, { decayMs }: OpenTime): number {
    if (this.openings === 0 || decayMs === Infinity) return this.openings
    return Math.max(0, this.openings - Math.max(0, Math.floor((now - this.closedAt) / decayMs)))
  }
}
