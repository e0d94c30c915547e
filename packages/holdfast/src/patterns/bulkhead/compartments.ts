import type { Call } from '../../core/call.ts'
import { systemClock, type Clock } from '../../core/clock.ts'
import { HoldfastError } from '../../core/errors.ts'
import type { Listener } from '../../core/events.ts'
import type { Gate, Seat, Waiting } from '../../core/layer.ts'
import { checkOptionNames, functionOption, invalidOption, nameOption } from '../../core/options.ts'
import { parts } from '../../core/parts.ts'
import { GatePolicy, type Acquirable } from '../../core/permit.ts'
import type { HealthRecord, Policy, PolicyDescription } from '../../core/policy.ts'
import { refusal, type Refusal } from '../../core/refusal.ts'
import { suggest } from '../../core/suggest.ts'
import { singleBulkhead, type Bulkhead, type BulkheadEvent, type BulkheadOptions, type BulkheadStatus } from './bulkhead.ts'
import type { BulkheadGate } from './bulkhead-gate.ts'
import type { Place } from './place.ts'

export interface CompartmentedBulkheadOptions {
  /** Each compartment by name, with its own places and queue. */
  readonly compartments: Readonly<Record<string, Omit<BulkheadOptions, 'name' | 'clock'>>>
  /** Which compartment a call belongs to. @defaultValue the call's `key` */
  readonly compartmentOf?: (call: Call) => string | undefined
  /** @defaultValue 'bulkhead' */
  readonly name?: string
  readonly clock?: Clock
}

export interface CompartmentedBulkheadStatus {
  readonly kind: 'compartmented-bulkhead'
  readonly name: string
  readonly compartments: Readonly<Record<string, BulkheadStatus>>
  readonly [figure: string]: unknown
}

const compartmentOptionNames = ['maxConcurrent', 'maxQueued', 'maxWait', 'maxHold'] as const

/** Separate bulkheads under one name. As a policy it sends each call to its own compartment. */
export interface CompartmentedBulkhead extends Policy<BulkheadEvent>, Acquirable, Disposable {
  readonly kind: 'compartmented-bulkhead'
  readonly compartmentNames: readonly string[]
  /** @throws HoldfastError `ERR_UNKNOWN_NAME`. */
  compartment(name: string): Bulkhead
  status(): CompartmentedBulkheadStatus
  dispose(): void
}

export function compartmentedBulkhead(options: CompartmentedBulkheadOptions): CompartmentedBulkhead {
  return new CompartmentedPolicy(options)
}

class CompartmentedPolicy extends GatePolicy<BulkheadEvent> implements CompartmentedBulkhead {
  readonly kind = 'compartmented-bulkhead' as const
  readonly [parts]: readonly Gate<Place>[]
  protected readonly gate: Gate<Place>
  private readonly bulkheads = new Map<string, Bulkhead>()

  constructor(options: CompartmentedBulkheadOptions) {
    checkOptionNames('bulkhead', options, ['compartments', 'compartmentOf', 'name', 'clock'])
    const name = nameOption('bulkhead', options.name)
    super(name, options.clock ?? systemClock)
    const entries = Object.entries(options.compartments ?? {})
    if (entries.length === 0) throw invalidOption(name, 'compartments', options.compartments, 'an object with at least one compartment')
    for (const [compartment, settings] of entries) {
      checkOptionNames(`${name}/${compartment}`, settings, compartmentOptionNames)
      this.bulkheads.set(compartment, singleBulkhead({ ...settings, name: `${name}/${compartment}`, clock: this.clock }))
    }
    const compartmentOf = functionOption(name, 'compartmentOf', options.compartmentOf) ?? ((call: Call) => call.key)
    this.gate = new RoutingGate(name, this.bulkheads, compartmentOf)
    this[parts] = [this.gate]
  }

  get compartmentNames(): readonly string[] {
    return [...this.bulkheads.keys()]
  }

  compartment(name: string): Bulkhead {
    const found = this.bulkheads.get(name)
    if (found !== undefined) return found
    const near = suggest(name, this.compartmentNames)
    throw new HoldfastError({
      code: 'ERR_UNKNOWN_NAME',
      policy: this.name,
      message: `${this.name}: there is no compartment '${name}'${near === undefined ? '' : ` (did you mean '${near}'?)`}`,
    })
  }

  on(listener: Listener<BulkheadEvent>): () => void {
    const ends = [...this.bulkheads.values()].map((bulkhead) => bulkhead.on(listener))
    return () => {
      for (const end of ends) end()
    }
  }

  describe(): PolicyDescription {
    const compartments = Object.fromEntries([...this.bulkheads].map(([name, bulkhead]) => [name, bulkhead.describe()]))
    return { kind: this.kind, name: this.name, compartments }
  }

  status(): CompartmentedBulkheadStatus {
    const compartments = Object.fromEntries([...this.bulkheads].map(([name, bulkhead]) => [name, bulkhead.status()]))
    return { kind: this.kind, name: this.name, compartments }
  }

  override health(): HealthRecord {
    const troubled = [...this.bulkheads.values()].map((bulkhead) => bulkhead.health()).filter(({ status }) => status !== 'pass')
    if (troubled.length === 0) return { status: 'pass' }
    const status = troubled.some((record) => record.status === 'fail') ? 'fail' : 'warn'
    return { status, reason: troubled.map(({ reason }) => reason).join('; ') }
  }

  dispose(): void {
    for (const bulkhead of this.bulkheads.values()) bulkhead.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** Hands each call to the gate of its compartment. */
class RoutingGate implements Gate<Place> {
  readonly kind = 'gate' as const
  private readonly name: string
  private readonly gates: ReadonlyMap<string, BulkheadGate>
  private readonly compartmentOf: (call: Call) => string | undefined

  constructor(name: string, bulkheads: ReadonlyMap<string, Bulkhead>, compartmentOf: (call: Call) => string | undefined) {
    this.name = name
    this.gates = new Map(
      [...bulkheads].map(([compartment, bulkhead]) => [compartment, (bulkhead[parts] as readonly BulkheadGate[])[0] as BulkheadGate]),
    )
    this.compartmentOf = compartmentOf
  }

  admit(call: Call, seat: Seat<Place> | undefined): Place | Refusal | Waiting {
    const gate = this.find(call)
    if (gate === undefined) return refusal('ERR_UNKNOWN_NAME', this.name)
    return gate.admit(call, seat)
  }

  settle(place: Place, ok: boolean, value: unknown, call: Call): void {
    place.gate.settle(place, ok, value, call)
  }

  leave(place: Place): void {
    place.gate.leave(place)
  }

  private find(call: Call): BulkheadGate | undefined {
    try {
      return this.gates.get(this.compartmentOf(call) ?? '')
    } catch {
      return undefined
    }
  }
}
