import { systemClock, type Clock } from '../../core/clock.ts'
import { checkOptionNames, integerOption } from '../../core/options.ts'
import { noAnswer, type Unavailable, type WriteOptions } from '../../core/ports/answers.ts'
import { ExpiryQueue, type Expiring } from '../../core/ports/expiry-queue.ts'
import { AttemptLog, checkedNumber, checkedText, invalidArgument, MemoryPort } from '../../core/ports/memory-port.ts'
import type { QuotaGrant, QuotaLimit, QuotaPort, QuotaRequest, QuotaSettlement, TakeOptions } from '../../core/ports/quota-port.ts'

export interface MemoryQuotaOptions {
  /** Keys that are below their burst, or paused, at a time; with so many, other keys are unavailable. @defaultValue 100_000 */
  readonly maxKeys?: number
  readonly clock?: Clock
}

export interface MemoryQuota extends QuotaPort {
  /** Keys that take room; those that are full again leave with a later call. */
  readonly size: number
}

/**
 * {@link QuotaPort} in the memory of this process: exact, bounded, without timers.
 * @throws HoldfastError `ERR_INVALID_OPTION`.
 */
export function memoryQuota(options: MemoryQuotaOptions = {}): MemoryQuota {
  checkOptionNames('memoryQuota', options, ['maxKeys', 'clock'])
  const maxKeys = integerOption('memoryQuota', 'maxKeys', options.maxKeys ?? 100_000, { min: 1 })
  return new QuotaMemory(maxKeys, options.clock ?? systemClock)
}

/** Rounding of what is computed from instants: never a whole unit. */
const epsilon = 1e-9

/** GCRA state: at `fullAt` the key has its whole burst again. */
class KeyState implements Expiring {
  expiresAt = 0
  place = -1
  readonly key: string
  fullAt: number
  pausedUntil = -Infinity

  constructor(key: string, now: number) {
    this.key = key
    this.fullAt = now
  }

  get busyUntil(): number {
    return Math.max(this.fullAt, this.pausedUntil)
  }
}

class QuotaMemory extends MemoryPort implements MemoryQuota {
  private readonly maxKeys: number
  private readonly clock: Clock
  private readonly keys = new Map<string, KeyState>()
  private readonly expiry = new ExpiryQueue<KeyState>()

  constructor(maxKeys: number, clock: Clock) {
    super(new AttemptLog())
    this.maxKeys = maxKeys
    this.clock = clock
  }

  get size(): number {
    return this.keys.size
  }

  async take(requests: readonly QuotaRequest[], options: TakeOptions): Promise<readonly (QuotaGrant | Unavailable)[]> {
    for (const request of requests) checkRequest(request)
    if (new Set(requests.map(({ key }) => key)).size < requests.length) throw invalidArgument('requests', requests, 'of different keys')
    const answer = this.write(options, () => {
      const now = this.sweep()
      const amounts = requests.map((request) => this.amount(request, now))
      const all = options.together === true && requests.some(({ want, min = want }, index) => (amounts[index] ?? -1) < min)
      const grants = requests.map((request, index) => this.grant(request, all ? 0 : amounts[index], now))
      return { answer: grants, changed: grants.some((grant) => grant.ok && grant.granted > 0) }
    })
    return Array.isArray(answer) ? answer : requests.map(() => noAnswer)
  }

  async settle(settlements: readonly QuotaSettlement[], options: WriteOptions): Promise<readonly ({ readonly ok: true } | Unavailable)[]> {
    for (const settlement of settlements) checkSettlement(settlement)
    const answer = this.write(options, () => {
      const now = this.sweep()
      const answers = settlements.map((settlement) => this.adjust(settlement, now))
      return { answer: answers, changed: answers.some(({ ok }) => ok) }
    })
    return Array.isArray(answer) ? answer : settlements.map(() => noAnswer)
  }

  async pause(key: string, forMs: number, options: WriteOptions): Promise<{ readonly ok: true } | Unavailable> {
    checkKey(key)
    checkedNumber('forMs', forMs, 0)
    return this.write<{ readonly ok: true } | Unavailable>(options, () => {
      const now = this.sweep()
      const state = forMs === 0 ? this.keys.get(key) : this.enter(key, now)
      if (state !== undefined) {
        state.pausedUntil = forMs === 0 ? -Infinity : Math.max(state.pausedUntil, now + forMs)
        this.expiry.move(state, state.busyUntil)
      } else if (forMs > 0) return { answer: noAnswer, changed: false }
      return { answer: { ok: true }, changed: true }
    })
  }

  /** Units that a request may have now; undefined when there is no room to remember it. */
  private amount(request: QuotaRequest, now: number): number | undefined {
    const { key, want, min = want } = request
    const state = this.keys.get(key)
    if (state === undefined && this.keys.size >= this.maxKeys) return undefined
    if (state !== undefined && state.pausedUntil > now) return 0
    const left = unitsLeft(request, state?.fullAt ?? now, now)
    const units = want <= left + epsilon ? want : Math.max(0, Math.floor(left + epsilon))
    return units < min ? 0 : units
  }

  private grant(request: QuotaRequest, units: number | undefined, now: number): QuotaGrant | Unavailable {
    if (units === undefined) return noAnswer
    const { key, want, burst, leaseMs } = request
    const interval = request.perMs / request.rate
    let state = this.keys.get(key)
    if (units > 0) {
      state ??= this.enter(key, now)
      if (state === undefined) return noAnswer // the keys before it in the request took the last room
      state.fullAt = Math.max(state.fullAt, now) + units * interval
      this.expiry.move(state, state.busyUntil)
    }
    const fullAt = Math.max(state?.fullAt ?? now, now)
    const remaining = unitsLeft(request, fullAt, now)
    const pausedMs = Math.max(0, (state?.pausedUntil ?? now) - now)
    const missingMs = units >= want ? 0 : want > burst ? Infinity : Math.max(0, (want - remaining) * interval)
    return { ok: true, granted: units, retryAfterMs: units >= want ? 0 : Math.max(missingMs, pausedMs), remaining, leaseMs }
  }

  private adjust(settlement: QuotaSettlement, now: number): { readonly ok: true } | Unavailable {
    const { key, granted, used, rate, perMs } = settlement
    const shift = ((used - granted) * perMs) / rate
    const state = shift > 0 ? this.enter(key, now) : this.keys.get(key)
    if (state === undefined) return shift > 0 ? noAnswer : { ok: true }
    state.fullAt = Math.max(now, Math.max(state.fullAt, now) + shift)
    this.expiry.move(state, state.busyUntil)
    return { ok: true }
  }

  private enter(key: string, now: number): KeyState | undefined {
    const known = this.keys.get(key)
    if (known !== undefined || this.keys.size >= this.maxKeys) return known
    const state = new KeyState(key, now)
    state.expiresAt = now
    this.keys.set(key, state)
    this.expiry.add(state)
    return state
  }

  /** Forgets keys that are full again. Each was brought by an earlier call, so a call sweeps two on average at most. */
  private sweep(): number {
    const now = this.clock.now()
    for (let state = this.expiry.shift(now); state !== undefined; state = this.expiry.shift(now)) this.keys.delete(state.key)
    return now
  }
}

/** Units left: the whole burst when `fullAt` is past, below 0 in debt. */
function unitsLeft({ rate, perMs, burst }: QuotaLimit, fullAt: number, now: number): number {
  return burst - (Math.max(0, fullAt - now) * rate) / perMs
}

function checkKey(key: unknown): void {
  checkedText('key', key, 1, 1_000)
}

function checkLimit({ key, rate, perMs, burst }: QuotaLimit): void {
  checkKey(key)
  checkedNumber('rate', rate, Number.MIN_VALUE)
  checkedNumber('perMs', perMs, Number.MIN_VALUE)
  checkedNumber('burst', burst, 1)
}

function checkRequest(request: QuotaRequest): void {
  checkLimit(request)
  checkedNumber('want', request.want, 0)
  checkedNumber('leaseMs', request.leaseMs, 0)
  if (request.min !== undefined) checkedNumber('min', request.min, 0)
}

function checkSettlement(settlement: QuotaSettlement): void {
  checkLimit(settlement)
  checkedNumber('granted', settlement.granted, 0)
  checkedNumber('used', settlement.used, 0)
}
