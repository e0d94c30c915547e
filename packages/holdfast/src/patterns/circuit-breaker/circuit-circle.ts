import type { EventHub } from '../../core/events.ts'
import type { CircuitGate } from './circuit-gate.ts'
import type { CircuitEvent } from './events.ts'

/** Circuits that belong together, as each of them sees it: it hears of their changes, and may limit how many are open. */
export interface CircuitCircle {
  readonly events: EventHub<CircuitEvent>
  /** Whether it may keep a circuit from opening. */
  readonly isCapped: boolean
  /** @throws HoldfastError when there are too many members */
  join(breaker: string): void
  left(gate: CircuitGate): void
  changed(gate: CircuitGate): void
  /** Asked before a closed circuit opens by itself. */
  mayOpen(now: number): boolean
  /** A circuit was kept from opening. Told once per crossing. */
  kept(): void
}

/** All circles a circuit belongs to. Never changes, and is shared by the circuits of one registry. */
export class Circles {
  readonly all: readonly CircuitCircle[]

  constructor(all: readonly CircuitCircle[]) {
    this.all = all
  }

  get isCapped(): boolean {
    return this.all.some(({ isCapped }) => isCapped)
  }

  /** Whether anybody listens to one of them. */
  get active(): boolean {
    return this.all.some(({ events }) => events.active)
  }

  join(breaker: string): void {
    for (const circle of this.all) circle.join(breaker)
  }

  changed(gate: CircuitGate): void {
    for (const circle of this.all) circle.changed(gate)
  }

  mayOpen(now: number): boolean {
    return this.all.every((circle) => circle.mayOpen(now))
  }

  kept(): void {
    for (const circle of this.all) circle.kept()
  }

  emit(event: CircuitEvent): void {
    for (const { events } of this.all) events.emit(event)
  }

  /** The others; undefined if it is none of them. */
  without(circle: CircuitCircle): Circles | undefined {
    if (!this.all.includes(circle)) return undefined
    return this.all.length === 1 ? noCircles : new Circles(this.all.filter((other) => other !== circle))
  }
}

/** Of a circuit that belongs to nobody. */
export const noCircles: Circles = new Circles([])
