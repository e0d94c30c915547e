import { CallState, type Call } from './call.ts'
import { systemClock, type Clock } from './clock.ts'
import { CustomFlow } from './custom-flow.ts'
import type { Listener, PolicyEvent } from './events.ts'
import type { Gate, Part } from './layer.ts'
import { checkOptionNames, functionOption, integerOption, invalidOption, nameOption } from './options.ts'
import { parts } from './parts.ts'
import { GatePolicy, type Acquirable } from './permit.ts'
import { BasePolicy, type HealthRecord, type Policy, type PolicyDescription, type PolicyStatus } from './policy.ts'

export interface CustomPolicyOptions {
  readonly name: string
  /** A gate, a flow, or several, outermost first. */
  readonly parts: Part | readonly Part[]
  /** What `describe()` says beside kind and name. */
  readonly settings?: Readonly<Record<string, unknown>>
  /** What `status()` says beside kind and name. */
  readonly status?: () => Readonly<Record<string, unknown>>
  /** @defaultValue always 'pass' */
  readonly health?: () => HealthRecord
  readonly clock?: Clock
}

/**
 * A policy of your own, made of gates and flows. Of a single gate, permits can be taken by hand too. Name the type of answers
 * that a flow gives in place of the function's own: `policy<string>({ … })`.
 * @throws HoldfastError `ERR_INVALID_OPTION`.
 * @example `const audit = policy({ name: 'audit', parts: { kind: 'flow', start: (next, call, out) => next.start(call, out) } })`
 */
export function policy(options: CustomPolicyOptions & { readonly parts: Gate }): Policy & Acquirable
export function policy<Alternative = never>(options: CustomPolicyOptions): Policy<PolicyEvent, Alternative>
export function policy(options: CustomPolicyOptions): Policy {
  checkOptionNames('policy', options, ['name', 'parts', 'settings', 'status', 'health', 'clock'])
  const name = nameOption('policy', options.name)
  functionOption(name, 'status', options.status)
  functionOption(name, 'health', options.health)
  const given: unknown = options.parts
  if (isGate(given)) return new CustomGatePolicy(name, options, given)
  const list = (Array.isArray(given) ? given : [given]) as readonly unknown[]
  return new CustomPolicy(
    name,
    options,
    list.map((part) => checkedPart(name, part)),
  )
}

function checkedPart(name: string, part: unknown): Part {
  if (isGate(part)) return part
  const { kind, start } = (part ?? {}) as { kind?: unknown; start?: unknown }
  if (kind === 'flow' && typeof start === 'function') return new CustomFlow(part as Part & { kind: 'flow' })
  throw invalidOption(name, 'parts', part, 'a gate (kind, admit, settle) or a flow (kind, start), or a list of them')
}

function isGate(part: unknown): part is Gate {
  const { kind, admit, settle } = (part ?? {}) as { kind?: unknown; admit?: unknown; settle?: unknown }
  return kind === 'gate' && typeof admit === 'function' && typeof settle === 'function'
}

class CustomPolicy extends BasePolicy {
  readonly kind = 'custom'
  readonly [parts]: readonly Part[]
  private readonly options: CustomPolicyOptions

  constructor(name: string, options: CustomPolicyOptions, list: readonly Part[]) {
    super(name, options.clock ?? systemClock)
    this.options = options
    this[parts] = list
  }

  on(_listener: Listener<PolicyEvent>): () => void {
    return () => undefined
  }

  describe(): PolicyDescription {
    return { ...this.options.settings, kind: this.kind, name: this.name }
  }

  status(): PolicyStatus {
    return { ...this.options.status?.(), kind: this.kind, name: this.name }
  }

  override health(): HealthRecord {
    return this.options.health?.() ?? super.health()
  }
}

class CustomGatePolicy extends GatePolicy {
  readonly kind = 'custom'
  readonly [parts]: readonly Part[]
  protected readonly gate: Gate
  private readonly face: CustomPolicy

  constructor(name: string, options: CustomPolicyOptions, gate: Gate) {
    super(name, options.clock ?? systemClock)
    this.gate = gate
    this[parts] = [gate]
    this.face = new CustomPolicy(name, options, this[parts])
  }

  on(listener: Listener<PolicyEvent>): () => void {
    return this.face.on(listener)
  }

  describe(): PolicyDescription {
    return this.face.describe()
  }

  status(): PolicyStatus {
    return this.face.status()
  }

  override health(): HealthRecord {
    return this.face.health()
  }
}

/** For flows of your own: a call inside `call` that can be cancelled by itself, with its own signal and attempt number. */
export interface ChildCallOptions {
  /** @defaultValue that of the outer call */
  readonly attempt?: number
  /** What the function is told of its time, in monotonic ms: cancel the call yourself then. Never later than that of the outer call. */
  readonly deadlineAt?: number
}

export interface ChildCall extends Call {
  /** Cancels all that runs for this call. @param reason An AbortError if you have none. */
  cancel(reason?: unknown): void
  /** To be called once, when the call has been answered. */
  close(): void
}

/** A flow that starts more than one call at a time, or gives one up, makes a child for each. */
export function childCall(call: Call, options: ChildCallOptions = {}): ChildCall {
  const { attempt = call.attempt, deadlineAt = Infinity } = options
  return (call as CallState).child(integerOption('childCall', 'attempt', attempt, { min: 1 }), Math.min(deadlineAt, call.deadlineAt), true)
}
