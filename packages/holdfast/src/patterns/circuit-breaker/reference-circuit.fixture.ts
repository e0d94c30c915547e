/** What a circuit is made with; times in ms. */
export interface ReferenceSettings {
  readonly failureThreshold: number
  readonly windowMs: number
  readonly openForMs: number
  readonly factor: number
  readonly maxOpenForMs: number
  /** Probes at the same time. */
  readonly probes: number
  readonly successThreshold: number
  /** Decides by share instead; `probes` is the sample then. */
  readonly failureRatio: number | undefined
  readonly probeTimeoutMs: number
}

export type ReferenceVerdict = 'success' | 'failure' | 'ignored'

interface Ticket {
  readonly stay: number
  readonly counts: boolean
  readonly leaseEnd: number
  over: boolean
}

/**
 * A circuit breaker as its documentation tells it, with no thought of cost: it moves on at every instant something is due,
 * keeps everything, and counts again each time it is asked. The real one must not be told from it.
 */
export class ReferenceCircuit {
  state: 'closed' | 'open' | 'half-open' | 'isolated' | 'disabled' = 'closed'
  readonly totals = { success: 0, failure: 0, ignored: 0, refused: 0, opened: 0 }
  private successes = 0
  private failures = 0
  private openUntil = 0
  private readonly settings: ReferenceSettings
  private stay = 0
  private openings = 0
  private failedAt: number[] = []
  private running: Ticket[] = []

  constructor(settings: ReferenceSettings) {
    this.settings = settings
  }

  admit(now: number, deadlineAt = Infinity): Ticket | undefined {
    this.moveTo(now)
    const { probes, successThreshold, failureRatio, probeTimeoutMs } = this.settings
    if (this.state === 'closed' || this.state === 'disabled') return this.ticket(Infinity)
    const total = failureRatio === undefined ? Math.max(probes, successThreshold) : probes
    const mayProbe =
      this.state === 'half-open' && this.running.length < probes && this.running.length + this.successes + this.failures < total
    if (!mayProbe) {
      this.totals.refused++
      return undefined
    }
    const ticket = this.ticket(Math.min(deadlineAt, now + probeTimeoutMs))
    this.running.push(ticket)
    return ticket
  }

  settle(ticket: Ticket, verdict: ReferenceVerdict, now: number): void {
    this.moveTo(now)
    if (ticket.over || !ticket.counts) return
    ticket.over = true
    this.totals[verdict]++
    if (ticket.stay !== this.stay) return
    if (this.state === 'closed' && verdict === 'failure') {
      this.failedAt.push(now)
      if (this.failuresAt(now) >= this.settings.failureThreshold) this.open(now, 'failure')
    } else if (this.state === 'half-open') {
      this.running = this.running.filter((each) => each !== ticket)
      if (verdict === 'success') this.successes++
      if (verdict === 'failure') this.failures++
      this.decide(now)
    }
  }

  hand(action: 'close' | 'isolate' | 'disable', now: number): void {
    this.moveTo(now)
    const state = ({ close: 'closed', isolate: 'isolated', disable: 'disabled' } as const)[action]
    if (state === 'closed') this.close()
    else if (this.state !== state) this.enter(state)
  }

  forceOpen(now: number, forMs: number | undefined): void {
    this.moveTo(now)
    this.open(now, 'hand', forMs)
  }

  /** Ends the open time now. */
  probeNow(now: number): void {
    this.moveTo(now)
    if (this.state === 'open') this.enter('half-open')
  }

  /** Does all that falls due until `now`, in its order. */
  moveTo(now: number): void {
    for (;;) {
      if (this.state === 'open' && this.openUntil <= now) this.enter('half-open')
      const nextLeaseEnd = Math.min(...this.running.map(({ leaseEnd }) => leaseEnd))
      if (this.state !== 'half-open' || nextLeaseEnd > now) return
      for (const ticket of this.running.filter(({ leaseEnd }) => leaseEnd === nextLeaseEnd)) {
        ticket.over = true
        this.failures++
        this.totals.failure++
      }
      this.running = this.running.filter(({ over }) => !over)
      this.decide(nextLeaseEnd)
    }
  }

  /** What the status of the real one must say at `now`. */
  figuresAt(now: number, wallNow: number): Readonly<Record<string, unknown>> {
    this.moveTo(now)
    const { state, totals, running, successes, failures, openUntil } = this
    return {
      state,
      failures: this.failuresAt(now),
      probes: state === 'half-open' ? { running: running.length, successes, failures } : null,
      successTotal: totals.success,
      failureTotal: totals.failure,
      ignoredTotal: totals.ignored,
      refusedTotal: totals.refused,
      openedTotal: totals.opened,
      nextAttemptAt: state === 'open' && openUntil !== Infinity ? Math.round(wallNow - now + openUntil) : null,
    }
  }

  private failuresAt(now: number): number {
    const { windowMs, failureThreshold } = this.settings
    return Math.min(failureThreshold, this.failedAt.filter((at) => now - at < windowMs).length)
  }

  private decide(at: number): void {
    const { probes, successThreshold, failureRatio } = this.settings
    const hasFailed = failureRatio === undefined ? this.failures > 0 : this.failures / probes >= failureRatio
    const hasRecovered = failureRatio === undefined ? this.successes >= successThreshold : (probes - this.successes) / probes < failureRatio
    if (hasFailed) this.open(at, 'failure')
    else if (hasRecovered) this.close()
  }

  private open(at: number, why: 'failure' | 'hand', forMs?: number): void {
    const { openForMs, factor, maxOpenForMs } = this.settings
    if (why === 'failure' || this.openings === 0) this.openings++
    this.totals.opened++
    this.openUntil = at + (forMs ?? Math.min(openForMs * factor ** (this.openings - 1), maxOpenForMs))
    this.enter('open')
  }

  private close(): void {
    this.openings = 0
    this.failedAt = []
    this.enter('closed')
  }

  private enter(state: ReferenceCircuit['state']): void {
    this.state = state
    this.stay++
    this.running = []
    this.successes = 0
    this.failures = 0
  }

  private ticket(leaseEnd: number): Ticket {
    return { stay: this.stay, counts: this.state !== 'disabled', leaseEnd, over: false }
  }
}
