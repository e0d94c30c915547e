import type { Call } from '../../core/call.ts'
import type { Listener } from '../../core/events.ts'
import type { Part } from '../../core/layer.ts'
import { checkOptionNames, functionOption, invalidOption, nameOption } from '../../core/options.ts'
import { parts } from '../../core/parts.ts'
import { BasePolicy, type HealthRecord, type Policy, type PolicyDescription } from '../../core/policy.ts'
import type { IdempotencyEvent } from './events.ts'
import type { IdempotencyCore } from './idempotency-core.ts'
import { IdempotencyFlow } from './idempotency-flow.ts'
import { isScopeName } from './request.ts'
import { rulesOf, settingNames, type IdempotencySettings, type Rules } from './settings.ts'
import { Tally, type IdempotencyFigures } from './tally.ts'

/** What may change while a policy is in use. What is left out is as the manager has it when the policy is made or reconfigured. */
export interface IdempotencyPolicySettings extends IdempotencySettings {
  /** @defaultValue the call's `idempotencyKey` */
  readonly keyOf?: (call: Call) => string | undefined
  /** Whose keys they are: those of other tenants are never seen. @defaultValue '' */
  readonly tenantOf?: (call: Call) => string
  /** What was asked for, as plain data: another under the same key is refused. @defaultValue the key alone tells requests apart */
  readonly fingerprint?: (call: Call) => unknown
}

export interface IdempotencyPolicyOptions extends IdempotencyPolicySettings {
  /** Keys of other operations are never seen. @defaultValue '' */
  readonly operation?: string
  /** @defaultValue the manager's name */
  readonly name?: string
}

export interface IdempotencyPolicyStatus extends IdempotencyFigures {
  readonly kind: 'idempotency'
  readonly name: string
  readonly operation: string
  readonly [figure: string]: unknown
}

/** A flow for pipelines: all calls with the same key have one effect, and one outcome. */
export interface IdempotencyPolicy extends Policy<IdempotencyEvent> {
  readonly kind: 'idempotency'
  status(): IdempotencyPolicyStatus
  /** Puts other settings into force, for the calls to come. @throws HoldfastError `ERR_INVALID_OPTION`; nothing has changed then. */
  reconfigure(settings: IdempotencyPolicySettings): void
}

const policySettingNames = [...settingNames, 'keyOf', 'tenantOf', 'fingerprint'] as const
export const policyOptionNames = [...policySettingNames, 'operation', 'name'] as const

/** @internal */
export class FlowPolicy extends BasePolicy<IdempotencyEvent> implements IdempotencyPolicy {
  readonly kind = 'idempotency' as const
  readonly [parts]: readonly Part[]
  private readonly core: IdempotencyCore
  private readonly operation: string
  private readonly tally: Tally
  private readonly flow: IdempotencyFlow
  private readonly inherited: () => IdempotencySettings

  constructor(core: IdempotencyCore, parent: Tally, inherited: () => IdempotencySettings, options: IdempotencyPolicyOptions) {
    super(nameOption('idempotency', options.name ?? core.name), core.clock)
    this.core = core
    this.operation = operationOption(this.name, options.operation)
    this.tally = new Tally(parent)
    this.inherited = inherited
    this.flow = new IdempotencyFlow(core, this.readerOf(options))
    this[parts] = [this.flow]
  }

  reconfigure(settings: IdempotencyPolicySettings): void {
    checkOptionNames(this.name, settings, policySettingNames)
    this.flow.reader = this.readerOf(settings)
  }

  on(listener: Listener<IdempotencyEvent>): () => void {
    return this.core.events.on((event) => (event.operation === this.operation ? listener(event) : undefined))
  }

  describe(): PolicyDescription {
    return { kind: this.kind, name: this.name, operation: this.operation, ...describeRules(this.flow.reader.rules) }
  }

  status(): IdempotencyPolicyStatus {
    return { kind: this.kind, name: this.name, operation: this.operation, ...this.tally.figures() }
  }

  override health(): HealthRecord {
    return healthOf(this.core)
  }

  private readerOf({ keyOf, tenantOf, fingerprint, ...own }: IdempotencyPolicySettings): IdempotencyFlow['reader'] {
    const { name, operation, tally } = this
    functionOption(name, 'keyOf', keyOf)
    functionOption(name, 'tenantOf', tenantOf)
    functionOption(name, 'fingerprint', fingerprint)
    return {
      operation,
      tally,
      rules: rulesOf(name, { ...this.inherited(), ...own }),
      keyOf: keyOf ?? ((call) => call.idempotencyKey),
      tenantOf: tenantOf ?? (() => ''),
      payloadOf: (call) => (fingerprint === undefined ? undefined : { payload: fingerprint(call) }),
    }
  }
}

export function operationOption(owner: string, operation: unknown = ''): string {
  if (isScopeName(operation)) return operation
  throw invalidOption(owner, 'operation', operation, 'a text of at most 255 characters')
}

export function describeRules(rules: Rules): Readonly<Record<string, unknown>> {
  return {
    ttlMs: rules.ttlMs,
    leaseMs: rules.leaseMs,
    inFlight: rules.joins ? 'join' : 'reject',
    whenUnavailable: rules.open ? 'open' : 'closed',
    required: rules.required,
    recovers: rules.recover !== undefined,
  }
}

export function healthOf({ door }: IdempotencyCore): HealthRecord {
  return door.trouble === undefined ? { status: 'pass' } : { status: 'warn', reason: door.trouble }
}
