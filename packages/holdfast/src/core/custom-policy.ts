import { CallState, type Call } from './call.ts'
import { systemClock, type Clock } from './clock.ts'
import type { Listener, PolicyEvent } from './events.ts'
import type { Part } from './layer.ts'
import { checkOptionNames, invalidOption, nameOption } from './options.ts'
import { parts } from './parts.ts'
import { BasePolicy, type Policy, type PolicyDescription, type PolicyStatus } from './policy.ts'

export interface CustomPolicyOptions {
  readonly name: string
  /** A gate, a flow, or several, outermost first. */
  readonly parts: Part | readonly Part[]
  readonly clock?: Clock
}

/**
 * A policy of your own, made of gates and flows.
 * @example `const audit = policy({ name: 'audit', parts: { kind: 'flow', start: (next, call, out) => next.start(call, out) } })`
 */
export function policy(options: CustomPolicyOptions): Policy {
  return new CustomPolicy(options)
}

/** For flows of your own: a call inside `call` that can be cancelled by itself, with its own signal, attempt number and deadline. */
export interface ChildCallOptions {
  /** @defaultValue that of the outer call */
  readonly attempt?: number
  /** Monotonic ms; never later than that of the outer call. */
  readonly deadlineAt?: number
}

export interface ChildCall extends Call {
  /** Cancels all that runs for this call. */
  cancel(reason: unknown): void
  /** To be called once, when the call has been answered. */
  close(): void
}

export function childCall(call: Call, options: ChildCallOptions = {}): ChildCall {
  const { attempt = call.attempt, deadlineAt = Infinity } = options
  return (call as CallState).child(attempt, Math.min(deadlineAt, call.deadlineAt), true)
}

class CustomPolicy extends BasePolicy {
  readonly kind = 'custom'
  readonly [parts]: readonly Part[]

  constructor(options: CustomPolicyOptions) {
    checkOptionNames('policy', options, ['name', 'parts', 'clock'])
    super(nameOption('policy', options.name), options.clock ?? systemClock)
    const given = Array.isArray(options.parts) ? (options.parts as readonly Part[]) : [options.parts as Part]
    for (const part of given) {
      if (part?.kind !== 'gate' && part?.kind !== 'flow') throw invalidOption(this.name, 'parts', part, 'a gate or a flow, or a list of them')
    }
    this[parts] = given
  }

  on(_listener: Listener<PolicyEvent>): () => void {
    return () => undefined
  }

  describe(): PolicyDescription {
    return { kind: this.kind, name: this.name }
  }

  status(): PolicyStatus {
    return { kind: this.kind, name: this.name }
  }
}
