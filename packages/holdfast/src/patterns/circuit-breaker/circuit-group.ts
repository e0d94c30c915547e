import { HoldfastError } from '../../core/errors.ts'
import { EventHub, type Listener, type Observable } from '../../core/events.ts'
import { checkOptionNames, integerOption, invalidOption, nameOption, ratioOption, show } from '../../core/options.ts'
import { CircuitGate } from './circuit-gate.ts'
import type { CircuitCircle } from './circuit-circle.ts'
import type { CircuitEvent } from './events.ts'

/** How many circuit breakers that belong together may be open at once: a number or a share of them. */
export interface EjectionCapOptions {
  /** Breakers that may be open at once, 1 or more. Not with `maxOpenRatio`. */
  readonly maxOpen?: number
  /** Share of the breakers that may be open at once, 0..1; at least one may. @defaultValue 1: no limit */
  readonly maxOpenRatio?: number
}

export interface CircuitGroupOptions extends EjectionCapOptions {
  /** @defaultValue 'circuit-group' */
  readonly name?: string
  /** Breakers that may belong to it. @defaultValue 10_000 */
  readonly maxMembers?: number
}

/** A group as plain data. */
export interface CircuitGroupStatus {
  readonly kind: 'circuit-group'
  readonly name: string
  readonly members: number
  /** Members that are neither closed nor disabled. */
  readonly open: number
  /** How many may be open with as many members as there are now. */
  readonly maxOpen: number
  /** Times a rule said open, but as many as may be were open already. */
  readonly ejectionsCappedTotal: number
}

/** Circuit breakers that stand for one another: hosts behind one name, replicas, shards. */
export interface CircuitGroup extends Observable<CircuitEvent> {
  readonly name: string
  /** Members. */
  readonly size: number
  /** Members that are neither closed nor disabled. */
  readonly openCount: number
  status(): CircuitGroupStatus
  /** Hears the events of all members, also of those that join later. */
  on(listener: Listener<CircuitEvent>): () => void
  /** Takes a breaker out that is no longer used: it counts no more, and obeys the cap no more. Answers whether it was a member. */
  remove(breaker: object): boolean
}

/**
 * A cap on how many of the breakers that are made with it as `group` open at once (Envoy's max_ejection_percent): with as many open, a
 * further one stays closed, since to refuse everything helps nobody. Hands and reopenings are not capped. A member whose open time is
 * over, and which nobody calls any more, makes room for another: it closes.
 * @throws HoldfastError `ERR_INVALID_OPTION`; from the breaker that joins, `ERR_INVALID_ARGUMENT` beyond `maxMembers`.
 * @example `const replicas = circuitGroup({ maxOpenRatio: 0.5 }); const one = circuitBreaker({ name: 'one', group: replicas })`
 */
export function circuitGroup(options: CircuitGroupOptions = {}): CircuitGroup {
  checkOptionNames('circuitGroup', options, ['name', 'maxMembers', 'maxOpen', 'maxOpenRatio'])
  const name = nameOption('circuit-group', options.name)
  return new Circle(name, ejectionCap(name, options), integerOption(name, 'maxMembers', options.maxMembers ?? 10_000, { min: 1 }))
}

/** Validated {@link EjectionCapOptions}; Infinity where there is no cap of the kind. */
export interface EjectionCap {
  readonly maxOpen: number
  readonly maxOpenRatio: number
}

export function ejectionCap(owner: string, { maxOpen, maxOpenRatio }: EjectionCapOptions): EjectionCap {
  if (maxOpen !== undefined && maxOpenRatio !== undefined)
    throw invalidOption(owner, 'maxOpenRatio', maxOpenRatio, "absent when 'maxOpen' is given")
  return {
    maxOpen: maxOpen === undefined ? Infinity : integerOption(owner, 'maxOpen', maxOpen, { min: 1 }),
    maxOpenRatio: maxOpenRatio === undefined ? 1 : ratioOption(owner, 'maxOpenRatio', maxOpenRatio),
  }
}

/** What makes the share of a count come out below a whole number although it is one: 0.29 · 100 is 28.999…. */
const roundingSlack = 1e-9

/** The members of a group or of a registry. */
export class Circle implements CircuitGroup, CircuitCircle {
  readonly name: string
  readonly events: EventHub<CircuitEvent> = new EventHub()
  size = 0
  cap: EjectionCap
  private readonly maxMembers: number
  /** Neither closed nor disabled. */
  private readonly notClosed = new Set<CircuitGate>()
  private capped = 0
  /** No open member waits for a call before this instant, so that most refusals to open need not go through them. */
  private noneIdleBefore = Infinity

  constructor(name: string, cap: EjectionCap, maxMembers: number) {
    this.name = name
    this.cap = cap
    this.maxMembers = maxMembers
  }

  get openCount(): number {
    return this.notClosed.size
  }

  get maxOpen(): number {
    const { maxOpen, maxOpenRatio } = this.cap
    return Math.min(maxOpen, Math.max(1, Math.floor(this.size * maxOpenRatio + roundingSlack)))
  }

  get isCapped(): boolean {
    return this.cap.maxOpen !== Infinity || this.cap.maxOpenRatio < 1
  }

  status(): CircuitGroupStatus {
    const { name, size, openCount, maxOpen, isCapped, capped } = this
    return {
      kind: 'circuit-group',
      name,
      members: size,
      open: openCount,
      maxOpen: isCapped ? maxOpen : size,
      ejectionsCappedTotal: capped,
    }
  }

  on(listener: Listener<CircuitEvent>): () => void {
    return this.events.on(listener)
  }

  remove(breaker: object): boolean {
    const { gate } = breaker as { readonly gate?: unknown }
    return gate instanceof CircuitGate && gate.leaveCircle(this)
  }

  join(breaker: string): void {
    if (this.size >= this.maxMembers) {
      throw new HoldfastError({
        code: 'ERR_INVALID_ARGUMENT',
        policy: this.name,
        message: `${this.name}: has ${this.maxMembers} members already, ${show(breaker)} cannot join; remove() those no longer used, or raise 'maxMembers'`,
      })
    }
    this.size++
  }

  left(gate: CircuitGate): void {
    this.size--
    this.notClosed.delete(gate)
  }

  changed(gate: CircuitGate): void {
    if (gate.state === 'closed' || gate.state === 'disabled') {
      this.notClosed.delete(gate)
      return
    }
    this.notClosed.add(gate)
    this.noneIdleBefore = -Infinity
  }

  mayOpen(now: number): boolean {
    return !this.isCapped || this.notClosed.size < this.maxOpen || this.makeRoom(now)
  }

  kept(): void {
    this.capped++
  }

  has(gate: CircuitGate): boolean {
    return this.notClosed.has(gate)
  }

  /** Closes the member that has been waiting for a call longest, since its place is needed. */
  private makeRoom(now: number): boolean {
    if (now < this.noneIdleBefore) return false
    let longest: CircuitGate | undefined
    let earliest = Infinity
    for (const gate of this.notClosed) {
      const idleFrom = gate.idleFrom(now)
      if (idleFrom >= earliest) continue
      earliest = idleFrom
      longest = gate
    }
    this.noneIdleBefore = earliest
    if (longest === undefined || earliest > now || this.notClosed.size > this.maxOpen) return false
    longest.close(false)
    return true
  }
}
