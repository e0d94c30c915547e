import { CallState, type Call } from '../../core/call.ts'
import { errorWithoutStack, type ErrorCode, type HoldfastError } from '../../core/errors.ts'
import type { Layer } from '../../core/layer.ts'
import type { BeginAnswer, Checkpoint } from '../../core/ports/once-port.ts'
import { isThenable } from '../../core/predicate.ts'
import { refusal, toError } from '../../core/refusal.ts'
import { Claim } from './claim.ts'
import { pause } from './once-door.ts'
import type { CallReader, Request } from './request.ts'
import { RunSteps } from './run-steps.ts'
import type { IdempotencyCore } from './idempotency-core.ts'
import { decodeOutcome, encodeFailure, encodeResult, encodeUnstorable, unstorableError, type Ending } from './stored-outcome.ts'

/** One who waits for the outcome. */
export interface Participant {
  /** @param bytes The outcome as it was stored, when it was. */
  outcome(ending: Ending, bytes: Uint8Array | undefined): void
}

/** What came of a run, and how it is stored, when it is. */
export interface Conclusion {
  readonly ending: Ending
  readonly bytes?: Uint8Array
}

/** Pauses between questions to the store after an operation of another process, in ms: doubled up to the second. */
const pollMs = [25, 1_000] as const

/**
 * One effect on its way: claim, operation, record. It belongs to nobody: callers take part in it and may leave. Once the
 * function has begun it goes on without them, and its outcome is recorded whatever becomes of them.
 */
export class GuardedRun {
  readonly request: Request
  /** The outermost call that began it: its retries and hedges take part. */
  readonly root: Call
  private readonly core: IdempotencyCore
  private readonly reader: CallReader
  private readonly next: Layer
  private readonly participants = new Set<Participant>()
  private readonly inner: CallState
  private claim: Claim | undefined = undefined
  private began = false
  /** Why nobody waits for it any more, before the function began. */
  private deserted: { readonly reason: unknown } | undefined = undefined
  /** A result that the function itself brought, perhaps after its callers had been told of a timeout. */
  private brought: Ending | undefined = undefined

  constructor(core: IdempotencyCore, reader: CallReader, request: Request, next: Layer, call: CallState) {
    this.core = core
    this.reader = reader
    this.request = request
    this.next = next
    this.root = rootOf(call)
    const { run, invocation } = call
    const detached = { ...invocation, callerSignal: undefined }
    this.inner = new CallState((each) => this.runFunction(run, each), detached, undefined, call.attempt, call.deadlineAt, true)
    this.inner.frame = call.frame
  }

  /** Whether something inside forbade any further attempt. */
  get final(): boolean {
    return this.inner.final
  }

  /** Whether the function runs, or ran. */
  get hasBegun(): boolean {
    return this.began
  }

  /** Whether the function goes on although its callers have been told. */
  get isOpen(): boolean {
    return this.inner.open
  }

  get isDeserted(): boolean {
    return this.deserted !== undefined
  }

  join(participant: Participant): void {
    this.participants.add(participant)
  }

  /** A caller does not wait any more. Without any left, work that has not begun is given up. */
  leave(participant: Participant, reason: unknown): void {
    this.participants.delete(participant)
    if (this.participants.size > 0 || this.began) return
    this.deserted = { reason }
    this.inner.cancel(reason)
  }

  claimLost(): void {
    this.core.tell('idempotency.lease-lost', this.request)
    this.request.tally.count('leaseLost')
    this.inner.cancel(this.error('ERR_IDEMPOTENCY_LEASE_LOST'))
  }

  /** Tells those who wait. */
  conclude({ ending, bytes }: Conclusion): void {
    for (const participant of this.participants) {
      this.participants.delete(participant)
      participant.outcome(ending, bytes)
    }
  }

  /** Goes all the way. Settles when everything has ended, and never rejects. */
  async perform(): Promise<Conclusion> {
    try {
      return await this.claimAndRun()
    } catch (error) {
      this.claim?.rest()
      return { ending: { ok: false, value: error } }
    }
  }

  private async claimAndRun(): Promise<Conclusion> {
    const { rules, scope, key, fingerprint, tally } = this.request
    const { leaseMs, ttlMs: keepMs, recover } = rules
    const begun = await this.beginOrWait({ scope, key, fingerprint, leaseMs, keepMs, takeOver: recover !== undefined })
    if (!begun.ok) {
      if (!rules.open) return this.refuse('ERR_STORE_UNAVAILABLE', 'unavailable')
      this.core.tell('idempotency.unprotected', this.request)
      tally.count('unprotected')
      return this.run([])
    }
    switch (begun.state) {
      case 'mismatch':
        return this.refuse('ERR_IDEMPOTENCY_MISMATCH', 'mismatched')
      case 'unknown':
        return this.refuse('ERR_IDEMPOTENCY_OUTCOME_UNKNOWN', 'outcomeUnknown')
      case 'busy':
        return this.refuse('ERR_IDEMPOTENCY_IN_PROGRESS', 'inProgress', begun.retryAfterMs)
      case 'done':
        return this.replay(begun.result)
      case 'fresh':
      case 'takeover':
    }
    this.claim = new Claim(this.core.door, { scope, key, fence: begun.fence }, leaseMs, rules.storeTimeoutMs, this)
    if (this.deserted !== undefined) {
      await this.claim.fail(begun.state === 'fresh' ? 'forget' : 'unknown')
      return failure(this.deserted.reason)
    }
    return begun.state === 'fresh' ? this.run([]) : this.takeOver(begun)
  }

  /** Claims the key; with `join`, only when the operation of another process has ended. */
  private async beginOrWait(claim: Parameters<IdempotencyCore['door']['begin']>[0]): Promise<BeginAnswer | { readonly ok: false }> {
    const { rules } = this.request
    const { clock, door, random } = this.core
    const until = clock.now() + Math.min(rules.joinWaitMs, this.inner.remainingMs())
    for (let waitMs: number = pollMs[0]; ; waitMs = Math.min(waitMs * 2, pollMs[1])) {
      const answer = await door.begin(claim, Math.min(rules.storeTimeoutMs, Math.max(1, this.inner.remainingMs())))
      const leftMs = until - clock.now()
      const isBusy = answer.ok && answer.state === 'busy'
      if (!isBusy || !rules.joins || leftMs <= 0 || this.deserted !== undefined || this.core.isDisposed) return answer
      await pause(clock, Math.min(leftMs, waitMs * (0.5 + random() / 2)))
    }
  }

  private async takeOver({ startedAt, checkpoints }: { startedAt: number; checkpoints: readonly Checkpoint[] }): Promise<Conclusion> {
    const { key, tenant, operation, rules, tally } = this.request
    const steps = new RunSteps(this.core.name, this.core.codec, this.claim, checkpoints)
    let outcome: 'completed' | 'run-again' | 'unknown' = 'unknown'
    let value: unknown
    let failed: { readonly error: unknown } | undefined
    try {
      const decision = await rules.recover?.({ key, tenant, operation, startedAt, checkpoints: steps.all })
      if (decision?.outcome === 'completed' || decision?.outcome === 'run-again') outcome = decision.outcome
      if (decision?.outcome === 'completed') value = decision.value
    } catch (error) {
      failed = { error }
    }
    this.core.tell('idempotency.recovered', this.request, { outcome, ...failed })
    if (outcome === 'run-again') return this.run(checkpoints)
    if (outcome === 'completed') {
      tally.count('recovered')
      return this.record({ ok: true, value })
    }
    await this.claim?.fail('unknown')
    if (failed === undefined) return this.refuse('ERR_IDEMPOTENCY_OUTCOME_UNKNOWN', 'outcomeUnknown')
    tally.count('outcomeUnknown')
    return failure(this.error('ERR_IDEMPOTENCY_OUTCOME_UNKNOWN', failed.error))
  }

  private async run(checkpoints: readonly Checkpoint[]): Promise<Conclusion> {
    const { inner } = this
    this.reader.prepare?.(new RunSteps(this.core.name, this.core.codec, this.claim, checkpoints))
    const ending = await new Promise<Ending>((resolve) => {
      this.next.start(inner, { settle: (ok, value) => resolve({ ok, value }) })
    })
    if (this.claim?.lost === true) {
      inner.close()
      return failure(this.error('ERR_IDEMPOTENCY_LEASE_LOST'))
    }
    if (ending.ok || !inner.open) {
      inner.close()
      return this.record(ending)
    }
    // given up by a policy inside while the function goes on: its callers hear of that now, and the outcome is what it brings
    this.conclude({ ending })
    await new Promise<void>((resolve) => this.whenEnded(resolve))
    inner.close()
    return this.record(this.brought ?? ending)
  }

  private whenEnded(resolve: () => void): void {
    if (!this.inner.open) resolve()
    else this.inner.whenEnded({ ended: () => this.whenEnded(resolve) })
  }

  /** Writes the outcome down, then tells the callers. */
  private async record(ending: Ending): Promise<Conclusion> {
    const { core, claim, request } = this
    const { rules, tally } = request
    if (this.began) tally.count('executed')
    if (claim === undefined) return { ending }
    if (!ending.ok && (!this.began || !rules.isKept(toError(ending.value)))) {
      await claim.fail('forget')
      return { ending }
    }
    let outcome = ending
    let bytes: Uint8Array
    try {
      bytes = ending.ok ? encodeResult(ending.value, core.codec, rules.maxResultBytes) : encodeFailure(toError(ending.value))
    } catch (why) {
      outcome = { ok: false, value: unstorableError(core.name, why) }
      bytes = encodeUnstorable(why)
      this.reportNotStored(why)
    }
    const stored = await claim.commit(bytes, rules.ttlMs)
    if (stored === 'stored') return { ending: outcome, bytes }
    if (stored === 'failed') {
      this.reportNotStored(new Error(core.door.trouble))
      return { ending: outcome }
    }
    if (!claim.lost) this.claimLost()
    return failure(this.error('ERR_IDEMPOTENCY_LEASE_LOST'))
  }

  private replay(bytes: Uint8Array): Conclusion {
    const ending = decodeOutcome(bytes, this.core.codec, this.core.name)
    this.request.tally.count('replayed')
    this.core.tell('idempotency.replayed', this.request, { ok: ending.ok })
    return { ending, bytes }
  }

  private reportNotStored(error: unknown): void {
    this.request.tally.count('notStored')
    this.core.tell('idempotency.not-stored', this.request, { error })
  }

  private refuse(
    code: ErrorCode,
    figure: 'unavailable' | 'mismatched' | 'outcomeUnknown' | 'inProgress',
    retryAfterMs?: number,
  ): Conclusion {
    this.request.tally.count(figure)
    this.core.tell('idempotency.refused', this.request, { code })
    return failure(refusal(code, this.core.name, retryAfterMs))
  }

  /** The function, seen from where its outcome is recorded. */
  private runFunction(run: (call: Call) => unknown, call: Call): unknown {
    this.began = true
    const result = run(call)
    if (!isThenable(result)) return result
    const promise = Promise.resolve(result)
    promise.then(
      (value) => {
        this.brought = { ok: true, value }
      },
      (error: unknown) => {
        if (this.brought?.ok !== true) this.brought = { ok: false, value: error }
      },
    )
    return promise
  }

  private error(code: ErrorCode, cause?: unknown): HoldfastError {
    return errorWithoutStack({ code, policy: this.core.name, cause })
  }
}

function failure(value: unknown): Conclusion {
  return { ending: { ok: false, value } }
}

/** The outermost call that a call is part of. */
export function rootOf(call: CallState): Call {
  let root = call
  while (root.parent !== undefined) root = root.parent
  return root
}
