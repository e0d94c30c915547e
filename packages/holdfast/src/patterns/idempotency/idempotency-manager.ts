import type { Call } from '../../core/call.ts'
import { systemClock, type Clock } from '../../core/clock.ts'
import type { Duration } from '../../core/duration.ts'
import { errorWithoutStack, HoldfastError, type ErrorCode } from '../../core/errors.ts'
import type { Listener, Observable } from '../../core/events.ts'
import { Executor } from '../../core/executor.ts'
import { checkOptionNames, functionOption, invalidOption, nameOption } from '../../core/options.ts'
import type { HealthRecord, PolicyDescription } from '../../core/policy.ts'
import { memoryOnce } from '../../core/ports/memory-once.ts'
import type { OncePort } from '../../core/ports/once-port.ts'
import type { Random } from '../../core/random.ts'
import type { IdempotencyEvent } from './events.ts'
import { fingerprintOf } from './fingerprint.ts'
import { IdempotencyCore } from './idempotency-core.ts'
import { IdempotencyFlow } from './idempotency-flow.ts'
import {
  describeRules,
  FlowPolicy,
  healthOf,
  operationOption,
  policyOptionNames,
  type IdempotencyPolicy,
  type IdempotencyPolicyOptions,
} from './idempotency-policy.ts'
import { keyProblem, scopeOf, type CallReader } from './request.ts'
import type { RunSteps } from './run-steps.ts'
import { rulesOf, settingNames, type IdempotencySettings, type Rules } from './settings.ts'
import { decodeOutcome, encodeResult, plainCodec, type ResultCodec } from './stored-outcome.ts'
import { checkStore } from './store-profile.ts'
import { Tally, type IdempotencyFigures } from './tally.ts'

export interface IdempotencyManagerOptions extends IdempotencySettings {
  /**
   * Where outcomes are kept. One that may lose what it acknowledged is refused, unless `acceptDuplicateRisk` says otherwise.
   * @defaultValue the memory of this process: nothing happens twice as long as it lives
   */
  readonly store?: OncePort
  /** @defaultValue false */
  readonly acceptDuplicateRisk?: boolean
  /** How results are written to the store. @defaultValue plain data: JSON, and undefined, bigint, Date, Map, Set, bytes */
  readonly codec?: ResultCodec
  /** @defaultValue 'idempotency' */
  readonly name?: string
  readonly clock?: Clock
  readonly random?: Random
}

/** Which effect is meant. */
export interface IdempotencyScope {
  /** Whose key it is. @defaultValue '' */
  readonly tenant?: string
  /** What is done. @defaultValue '' */
  readonly operation?: string
}

export interface IdempotencyExecuteOptions extends IdempotencyScope, IdempotencySettings {
  /** What was asked for, as plain data: another under the same key is refused. @defaultValue the key alone tells requests apart */
  readonly payload?: unknown
  /** The caller stops waiting when it aborts; an operation that has begun goes on, and its outcome is recorded. */
  readonly signal?: AbortSignal
  /** How long the caller waits. */
  readonly deadline?: Duration
}

export interface IdempotencyStoreOptions extends IdempotencyScope {
  readonly payload?: unknown
  readonly ttl?: Duration
}

export interface EnsureIdempotentOptions<A extends unknown[]> extends IdempotencySettings {
  /** The key of all calls, for a job that is done once. Either this or `keyOf`. */
  readonly key?: string
  /** The key of a call. */
  readonly keyOf?: (...args: A) => string | undefined
  readonly tenantOf?: (...args: A) => string
  /** Keys of other operations are never seen. A manager has one operation without a name. @defaultValue '' */
  readonly operation?: string
  /** What identifies a request, as plain data; false for the key alone. @defaultValue all arguments */
  readonly fingerprint?: ((...args: A) => unknown) | false
}

/** What a function that is run once can do on its way. */
export interface IdempotentRun {
  readonly key: string
  /** Its signal is aborted when another has taken the claim over, not when the caller stops waiting. */
  readonly call: Call
  /** Steps that this run, or an interrupted one before it, has written down. */
  readonly checkpoints: ReadonlyMap<string, unknown>
  /** Writes down that a step was done. @throws HoldfastError `ERR_IDEMPOTENCY_LEASE_LOST`, `ERR_STORE_UNAVAILABLE` */
  checkpoint(step: string, value: unknown): Promise<void>
  /** What the step brought if it is written down; otherwise does it, and writes it down. */
  step<T>(name: string, work: () => T | PromiseLike<T>): Promise<T>
}

export interface IdempotencyStatus extends IdempotencyFigures {
  readonly kind: 'idempotency'
  readonly name: string
  /** Operations under way in this process. */
  readonly running: number
  readonly [figure: string]: unknown
}

/** Operations whose effect happens once, whatever their callers and retries do. */
export interface IdempotencyManager extends Observable<IdempotencyEvent> {
  readonly kind: 'idempotency'
  readonly name: string
  /**
   * Runs the function, or gives the outcome of the call that ran it.
   * @throws what the function throws; a HoldfastError `ERR_IDEMPOTENCY_…` or `ERR_STORE_UNAVAILABLE`.
   */
  execute<T>(key: string, run: (run: IdempotentRun) => T | PromiseLike<T>, options?: IdempotencyExecuteOptions): Promise<T>
  /** The same function, whose calls with the same key have one effect. */
  ensureIdempotent<This, A extends unknown[], R>(
    run: (this: This, ...args: A) => R,
    options: EnsureIdempotentOptions<A>,
  ): (this: This, ...args: A) => Promise<Awaited<R>>
  /** A policy for pipelines; its place is outside of retry, breaker and attempt timeout. */
  policy(options?: IdempotencyPolicyOptions): IdempotencyPolicy
  /** Whether an outcome is stored. What is decided by it may be out of date at once: to run once, use {@link IdempotencyManager.execute}. */
  exists(key: string, scope?: IdempotencyScope): Promise<boolean>
  /** The stored result; undefined if there is none. @throws a failure that was stored. */
  getResult<T = unknown>(key: string, scope?: IdempotencyScope): Promise<T | undefined>
  /** Stores the result of an operation that was run elsewhere. Answers whether it is the stored one now: the first one stays. */
  store(key: string, result: unknown, options?: IdempotencyStoreOptions): Promise<boolean>
  describe(): PolicyDescription
  status(): IdempotencyStatus
  health(): HealthRecord
  /** Other settings for the calls to come; those of policies stay. @throws HoldfastError `ERR_INVALID_OPTION`; nothing has changed then. */
  reconfigure(settings: IdempotencySettings): void
  /** Later calls are refused. Operations under way end, and are recorded. */
  dispose(): void
}

/**
 * Makes operations happen once per key: a claim with a lease, a record of the outcome, and the same outcome for all who come with
 * the key again (the Idempotency-Key draft of the IETF; recovery points as in B. Leach's "atomic phases").
 * @throws HoldfastError `ERR_INVALID_OPTION`.
 * @example `await idempotencyManager().execute(`charge:${order.id}`, () => charge(order), { payload: order })`
 */
export function idempotencyManager(options: IdempotencyManagerOptions = {}): IdempotencyManager {
  checkOptionNames('idempotency', options, [...settingNames, 'store', 'acceptDuplicateRisk', 'codec', 'name', 'clock', 'random'])
  return new StoredIdempotency(options)
}

const scopeNames = ['tenant', 'operation'] as const

class StoredIdempotency implements IdempotencyManager {
  readonly kind = 'idempotency' as const
  readonly name: string
  private readonly core: IdempotencyCore
  private readonly tally = new Tally()
  private settings: IdempotencySettings
  private rules: Rules
  /** Whose is the operation without a name. */
  private unnamed: unknown = undefined

  constructor(options: IdempotencyManagerOptions) {
    const {
      store,
      acceptDuplicateRisk = false,
      codec = plainCodec,
      name: given,
      clock = systemClock,
      random = Math.random,
      ...settings
    } = options
    const name = nameOption('idempotency', given)
    if (typeof codec?.encode !== 'function' || typeof codec.decode !== 'function')
      throw invalidOption(name, 'codec', codec, 'an object with encode and decode')
    this.name = name
    this.settings = settings
    this.rules = rulesOf(name, settings)
    if (store !== undefined) checkStore(name, store, acceptDuplicateRisk)
    this.core = new IdempotencyCore(name, clock, random, codec, store ?? memoryOnce({ clock }))
  }

  execute<T>(key: string, run: (run: IdempotentRun) => T | PromiseLike<T>, options: IdempotencyExecuteOptions = {}): Promise<T> {
    if (typeof run !== 'function') throw invalidOption(this.name, 'run', run, 'a function')
    checkOptionNames(this.name, options, [...settingNames, ...scopeNames, 'payload', 'signal', 'deadline'])
    const { tenant = '', operation, payload, signal, deadline, ...own } = options
    let steps: RunSteps | undefined
    const reader: CallReader = {
      operation: operationOption(this.name, operation),
      rules: Object.keys(own).length === 0 ? this.rules : rulesOf(this.name, { ...this.settings, ...own }),
      tally: this.tally,
      keyOf: () => key,
      tenantOf: () => tenant,
      payloadOf: () => ('payload' in options ? { payload } : undefined),
      prepare: (made) => {
        steps = made
      },
    }
    return this.runThrough(reader, (call) => run(new ExecuteRun(key, call, steps)), { signal, deadline }) as Promise<T>
  }

  ensureIdempotent<This, A extends unknown[], R>(
    run: (this: This, ...args: A) => R,
    options: EnsureIdempotentOptions<A>,
  ): (this: This, ...args: A) => Promise<Awaited<R>> {
    if (typeof run !== 'function') throw invalidOption(this.name, 'run', run, 'a function')
    checkOptionNames(this.name, options, [...settingNames, 'key', 'keyOf', 'tenantOf', 'operation', 'fingerprint'])
    const { key, keyOf, tenantOf, operation, fingerprint, ...own } = options
    functionOption(this.name, 'keyOf', keyOf)
    functionOption(this.name, 'tenantOf', tenantOf)
    if ((key === undefined) === (keyOf === undefined))
      throw invalidOption(this.name, 'keyOf', keyOf, "a function, or 'key' must be given; one of both")
    if (key !== undefined && keyProblem(key) !== undefined)
      throw invalidOption(this.name, 'key', key, '1 to 255 printable ASCII characters')
    if (fingerprint !== undefined && fingerprint !== false) functionOption(this.name, 'fingerprint', fingerprint)
    const name = this.ownOperation(operation, run)
    const overrides = Object.keys(own).length > 0
    if (overrides) rulesOf(this.name, { ...this.settings, ...own })
    const manager = this
    return function idempotentFunction(this: This, ...args: A): Promise<Awaited<R>> {
      const reader: CallReader = {
        operation: name,
        rules: overrides ? rulesOf(manager.name, { ...manager.settings, ...own }) : manager.rules,
        tally: manager.tally,
        keyOf: () => (keyOf === undefined ? key : keyOf(...args)),
        tenantOf: () => tenantOf?.(...args) ?? '',
        payloadOf: () => (fingerprint === false ? undefined : { payload: fingerprint === undefined ? args : fingerprint(...args) }),
      }
      return manager.runThrough(reader, () => run.apply(this, args), undefined) as Promise<Awaited<R>>
    }
  }

  policy(options: IdempotencyPolicyOptions = {}): IdempotencyPolicy {
    checkOptionNames(this.name, options, policyOptionNames)
    const operation = this.ownOperation(options.operation, options)
    return new FlowPolicy(this.core, this.tally, () => this.settings, { ...options, operation })
  }

  async exists(key: string, scope: IdempotencyScope = {}): Promise<boolean> {
    return (await this.stored(key, scope)) !== undefined
  }

  async getResult<T = unknown>(key: string, scope: IdempotencyScope = {}): Promise<T | undefined> {
    const bytes = await this.stored(key, scope)
    if (bytes === undefined) return undefined
    const { ok, value } = decodeOutcome(bytes, this.core.codec, this.name)
    if (!ok) throw value
    return value as T
  }

  async store(key: string, result: unknown, options: IdempotencyStoreOptions = {}): Promise<boolean> {
    checkOptionNames(this.name, options, [...scopeNames, 'payload', 'ttl'])
    const { ttl, payload, ...scope } = options
    const { door, codec } = this.core
    const { leaseMs, ttlMs, storeTimeoutMs, maxResultBytes } =
      ttl === undefined ? this.rules : rulesOf(this.name, { ...this.settings, ttl })
    const bytes = encodeResult(result, codec, maxResultBytes)
    const place = this.placeOf(key, scope)
    const fingerprint = 'payload' in options ? fingerprintOf(payload) : ''
    const begun = await door.begin({ ...place, fingerprint, leaseMs, keepMs: ttlMs, takeOver: true }, storeTimeoutMs)
    if (!begun.ok) throw this.error('ERR_STORE_UNAVAILABLE')
    if (begun.state === 'mismatch') throw this.error('ERR_IDEMPOTENCY_MISMATCH')
    if (begun.state === 'busy') throw this.error('ERR_IDEMPOTENCY_IN_PROGRESS', begun.retryAfterMs)
    if (begun.state !== 'fresh' && begun.state !== 'takeover') return false
    const answer = await door.commit({ ...place, fence: begun.fence }, bytes, ttlMs, storeTimeoutMs)
    if (answer.ok) return true
    throw this.error(answer.why === 'fenced' ? 'ERR_IDEMPOTENCY_LEASE_LOST' : 'ERR_STORE_UNAVAILABLE')
  }

  on(listener: Listener<IdempotencyEvent>): () => void {
    return this.core.events.on(listener)
  }

  describe(): PolicyDescription {
    return { kind: this.kind, name: this.name, engine: this.core.door.store.profile.engine, ...describeRules(this.rules) }
  }

  status(): IdempotencyStatus {
    return { kind: this.kind, name: this.name, running: this.core.size, ...this.tally.figures() }
  }

  health(): HealthRecord {
    return healthOf(this.core)
  }

  reconfigure(settings: IdempotencySettings): void {
    checkOptionNames(this.name, settings, settingNames)
    this.rules = rulesOf(this.name, settings)
    this.settings = settings
  }

  dispose(): void {
    this.core.isDisposed = true
  }

  private runThrough(
    reader: CallReader,
    run: (call: Call) => unknown,
    options: { readonly signal: AbortSignal | undefined; readonly deadline: Duration | undefined } | undefined,
  ): Promise<unknown> {
    return new Executor([new IdempotencyFlow(this.core, reader)], this.core.clock).execute(run, options)
  }

  /** A second operation without a name would answer with the results of the first. */
  private ownOperation(operation: unknown, owner: unknown): string {
    const name = operationOption(this.name, operation)
    if (name !== '') return name
    this.unnamed ??= owner
    if (this.unnamed === owner) return name
    throw invalidOption(this.name, 'operation', operation, 'given: another operation of this manager has no name, and would share its keys')
  }

  private async stored(key: string, scope: IdempotencyScope): Promise<Uint8Array | undefined> {
    checkOptionNames(this.name, scope, scopeNames)
    const answer = await this.core.door.get(this.placeOf(key, scope), this.rules.storeTimeoutMs)
    if (!answer.ok) throw this.error('ERR_STORE_UNAVAILABLE')
    return answer.record?.state === 'done' ? answer.record.result : undefined
  }

  private placeOf(key: string, { tenant = '', operation }: IdempotencyScope): { readonly scope: string; readonly key: string } {
    const problem = keyProblem(key)
    if (problem !== undefined) throw this.error(problem)
    return { scope: scopeOf(tenant, operationOption(this.name, operation)), key }
  }

  private error(code: ErrorCode, retryAfterMs?: number): HoldfastError {
    if (this.core.isDisposed) return errorWithoutStack({ code: 'ERR_DISPOSED', policy: this.name })
    return new HoldfastError({ code, policy: this.name, retryAfterMs })
  }
}

class ExecuteRun implements IdempotentRun {
  readonly key: string
  readonly call: Call
  private readonly steps: RunSteps

  constructor(key: string, call: Call, steps: RunSteps | undefined) {
    this.key = key
    this.call = call
    this.steps = steps as RunSteps // prepared before the function is called
  }

  get checkpoints(): ReadonlyMap<string, unknown> {
    return this.steps.all
  }

  checkpoint(step: string, value: unknown): Promise<void> {
    return this.steps.write(step, value)
  }

  async step<T>(name: string, work: () => T | PromiseLike<T>): Promise<T> {
    if (this.steps.all.has(name)) return this.steps.all.get(name) as T
    const value = await work()
    await this.steps.write(name, value)
    return value
  }
}
