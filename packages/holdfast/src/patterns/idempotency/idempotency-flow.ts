import type { Abortable } from '../../core/abort-hub.ts'
import type { Call, CallState } from '../../core/call.ts'
import { HoldfastError, type ErrorCode } from '../../core/errors.ts'
import type { Flow, Layer, Sink } from '../../core/layer.ts'
import { refusal } from '../../core/refusal.ts'
import { fingerprintOf } from './fingerprint.ts'
import { rootOf, type GuardedRun, type Participant } from './guarded-run.ts'
import type { IdempotencyCore } from './idempotency-core.ts'
import { NotPlainError } from './plain-value.ts'
import { isScopeName, keyProblem, scopeOf, type CallReader, type Request } from './request.ts'
import { decodeOutcome, type Ending } from './stored-outcome.ts'

/** Makes all calls with the same key one effect. */
export class IdempotencyFlow implements Flow {
  readonly kind = 'flow' as const
  readonly core: IdempotencyCore
  reader: CallReader

  constructor(core: IdempotencyCore, reader: CallReader) {
    this.core = core
    this.reader = reader
  }

  start(next: Layer, call: Call, out: Sink): void {
    new FlowCall(this.core, this.reader, next, call as CallState, out).begin()
  }
}

/** One call, from its key to its answer. */
class FlowCall implements Participant, Abortable {
  private readonly core: IdempotencyCore
  private readonly reader: CallReader
  private readonly next: Layer
  private readonly call: CallState
  private readonly out: Sink
  private run: GuardedRun | undefined = undefined
  private finished: Promise<void> | undefined = undefined
  private isOwner = false
  private settled = false

  constructor(core: IdempotencyCore, reader: CallReader, next: Layer, call: CallState, out: Sink) {
    this.core = core
    this.reader = reader
    this.next = next
    this.call = call
    this.out = out
  }

  begin(): void {
    const { core, reader, call, out } = this
    if (core.isDisposed) {
      out.settle(false, refusal('ERR_DISPOSED', core.name))
      return
    }
    let request: Request | ErrorCode
    try {
      const key = reader.keyOf(call)
      request = keyProblem(key) ?? this.identify(key as string)
    } catch (error) {
      out.settle(false, error)
      return
    }
    if (request === 'ERR_IDEMPOTENCY_KEY_MISSING' && !reader.rules.required) {
      this.next.start(call, out)
      return
    }
    if (typeof request === 'string') {
      core.tell('idempotency.refused', { operation: reader.operation, tenant: '', key: '' }, { code: request })
      out.settle(false, refusal(request, core.name))
      return
    }
    if (call.cancellable) call.onCancel(this)
    this.enter(request)
  }

  cancel(reason: unknown): void {
    if (this.settled) return
    this.settled = true
    const { run } = this
    run?.leave(this, reason)
    if (this.isOwner && run?.hasBegun === true) this.holdUntilFinished()
    this.out.settle(false, reason)
  }

  outcome(ending: Ending, bytes: Uint8Array | undefined): void {
    const { run } = this
    if (!this.isOwner) {
      this.settleCopy(ending, bytes)
      return
    }
    if (run?.final === true) this.call.doNotRetry()
    if (run?.isOpen === true) this.holdUntilFinished()
    this.settle(ending.ok, ending.value)
  }

  private identify(key: string): Request {
    const { operation, rules, tally } = this.reader
    const tenant: unknown = this.reader.tenantOf(this.call)
    if (!isScopeName(tenant))
      throw new HoldfastError({
        code: 'ERR_INVALID_ARGUMENT',
        policy: this.core.name,
        message: `${this.core.name}: a tenant must be a text of at most 255 characters`,
      })
    const box = this.reader.payloadOf(this.call)
    const scope = scopeOf(tenant, operation)
    const fingerprint = box === undefined ? '' : this.digest(box.payload)
    return { id: `${scope}/${key}`, scope, key, tenant, operation, fingerprint, rules, tally }
  }

  private digest(payload: unknown): string {
    try {
      return fingerprintOf(payload)
    } catch (error) {
      if (!(error instanceof NotPlainError)) throw error
      throw new HoldfastError({
        code: 'ERR_INVALID_ARGUMENT',
        policy: this.core.name,
        message: `${this.core.name}: the request cannot be told from another: ${error.message}. Name what identifies it with 'fingerprint', or give false`,
        cause: error,
      })
    }
  }

  /** Takes part in the run of the same key, or begins one. */
  private enter(request: Request): void {
    if (this.settled) return
    const { id, fingerprint, rules, tally } = request
    const running = this.core.find(id)
    if (running === undefined) {
      this.isOwner = true
      this.take(this.core.start(this.reader, request, this.next, this.call))
    } else if (running.run.isDeserted) void running.finished.then(() => this.enter(request))
    else if (running.run.request.fingerprint !== fingerprint) this.refuse(request, 'ERR_IDEMPOTENCY_MISMATCH', 'mismatched')
    else if (rules.joins || running.run.root === rootOf(this.call)) {
      tally.count('joined')
      this.take(running)
    } else this.refuse(request, 'ERR_IDEMPOTENCY_IN_PROGRESS', 'inProgress', rules.leaseMs)
  }

  private take({ run, finished }: { readonly run: GuardedRun; readonly finished: Promise<void> }): void {
    this.run = run
    this.finished = finished
    run.join(this)
  }

  private refuse(request: Request, code: ErrorCode, figure: 'mismatched' | 'inProgress', retryAfterMs?: number): void {
    request.tally.count(figure)
    this.core.tell('idempotency.refused', request, { code })
    this.settle(false, refusal(code, this.core.name, retryAfterMs))
  }

  /** Each caller has a result of its own: what one does to it the others do not see. */
  private settleCopy(ending: Ending, bytes: Uint8Array | undefined): void {
    if (!ending.ok || bytes === undefined) {
      this.settle(ending.ok, ending.value)
      return
    }
    let copy: Ending
    try {
      copy = decodeOutcome(bytes, this.core.codec, this.core.name)
    } catch (error) {
      copy = { ok: false, value: error }
    }
    this.settle(copy.ok, copy.value)
  }

  private settle(ok: boolean, value: unknown): void {
    if (this.settled) return
    this.settled = true
    if (this.call.cancellable) this.call.offCancel(this)
    this.out.settle(ok, value)
  }

  /** The work goes on although nobody waits for it: places outside are kept until it ends. */
  private holdUntilFinished(): void {
    const { call } = this
    call.hold()
    void this.finished?.then(() => call.release())
  }
}
