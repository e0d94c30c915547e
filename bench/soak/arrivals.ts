import { behaviours, type Behaviour, type Clients } from './clients.ts'

const total = behaviours.reduce((sum, { weight }) => sum + weight, 0)
const storm: Behaviour = { name: 'upstream error', path: 'error', weight: 0 }
const tickMs = 10

/** Sends requests at a rate, whatever becomes of them, as clients do that know nothing of one another. */
export class Arrivals {
  /** Requests per second. */
  rate = 0
  /** The upstream has a bad time: most requests fail, so that its circuit opens. */
  isStorm = false
  /** Nothing but plain requests. */
  isFair = false
  private readonly clients: Clients
  private readonly random: () => number
  private readonly timer: NodeJS.Timeout
  private owed = 0
  private lastAt = performance.now()

  constructor(clients: Clients, random: () => number) {
    this.clients = clients
    this.random = random
    this.timer = setInterval(() => this.tick(), tickMs)
  }

  end(): void {
    clearInterval(this.timer)
  }

  private tick(): void {
    const now = performance.now()
    this.owed += (this.rate * Math.min(now - this.lastAt, 1_000)) / 1_000
    this.lastAt = now
    for (; this.owed >= 1; this.owed--) this.clients.send(this.isStorm && this.random() < 0.7 ? storm : this.pick())
  }

  private pick(): Behaviour {
    if (this.isFair) return behaviours[0] as Behaviour
    let left = this.random() * total
    for (const behaviour of behaviours) {
      left -= behaviour.weight
      if (left < 0) return behaviour
    }
    return behaviours[0] as Behaviour
  }
}
