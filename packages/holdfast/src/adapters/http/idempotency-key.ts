import { systemClock } from '../../core/clock.ts'
import { deadlineHeap, type HeapNode } from '../../core/deadline-heap.ts'
import { durationMs, type Duration } from '../../core/duration.ts'
import { errorWithoutStack } from '../../core/errors.ts'
import { checkOptionNames, functionOption, integerOption, invalidOption } from '../../core/options.ts'
import { idempotencyManager, type IdempotencyManager } from '../../patterns/idempotency/index.ts'
import { errorAnswer, type HttpAnswer } from './answer.ts'
import { replayAnswer, type StoredResponse } from './stored-response.ts'
import { readString } from './structured-field.ts'

export interface IdempotencyKeyOptions<Request> {
  /** Where answers are kept, for how long, and what becomes of requests in flight. @defaultValue the memory of this process, 24 hours, 409 */
  readonly manager?: IdempotencyManager
  /** Whose keys they are: the account that was authenticated. Those of others are never seen. @defaultValue '' */
  readonly tenantOf?: (request: Request) => string
  /** Keys of other operations are never seen. @defaultValue 'http' */
  readonly operation?: string
  /** Methods that are guarded. @defaultValue POST, PATCH */
  readonly methods?: readonly string[]
  /** Whether a request of these methods without a key is refused with 400; otherwise it is not guarded. @defaultValue true */
  readonly required?: boolean
  /**
   * Which answers are kept, by their status. Others free the key: only right for answers that say that nothing was done.
   * @defaultValue all but 429 and 503
   */
  readonly isKept?: (status: number) => boolean
  /** Larger answers, and streams of events, pass through and are not kept: a replay is answered with 409. @defaultValue 262_144 (256 KiB) */
  readonly maxResponseBytes?: number
  /** Larger requests are refused with 413; where the adapter reads the body (Hono). @defaultValue 1_048_576 (1 MiB) */
  readonly maxRequestBytes?: number
  /** After a client has left, for how long its handler may still answer. Then the outcome is unknown. @defaultValue '5m' */
  readonly answerWithin?: Duration
}

/** The facts of a request by which it is told from others. */
export interface RequestFacts {
  readonly method: string
  /** Path and query. */
  readonly target: string
  /** `Idempotency-Key` as it came. */
  readonly keyField: string | undefined
  readonly tenant: string
  /** The body as it was parsed, or its bytes. */
  readonly body: unknown
}

const heap = deadlineHeap(systemClock)

/** An answer that says that nothing was done. */
class NotKept extends Error {}

/** One request under a key. */
export interface GuardedRequest {
  /** What to answer in place of the handler; undefined: the handler is to run, and its answer to be handed in. */
  readonly decision: Promise<HttpAnswer | undefined>
  /** Hands in what the handler answers. Settles when it is recorded, or cannot be: then it is sent. */
  respond(response: StoredResponse): Promise<void>
  /** The handler failed, and no answer was made of that. */
  fail(error: unknown): void
  /** The client has left. The handler may answer for a while; then nobody knows what it did. */
  left(): void
}

/** `Idempotency-Key` of draft-ietf-httpapi-idempotency-key-header-07, over an {@link IdempotencyManager}. */
export class IdempotencyKeys<Request> {
  readonly maxResponseBytes: number
  readonly maxRequestBytes: number
  private readonly answerWithinMs: number
  private readonly manager: IdempotencyManager
  private readonly tenantOf: (request: Request) => string
  private readonly operation: string
  private readonly methods: ReadonlySet<string>
  private readonly required: boolean
  private readonly isKept: (status: number) => boolean

  constructor(options: IdempotencyKeyOptions<Request>) {
    const { manager, tenantOf, operation = 'http', methods = ['POST', 'PATCH'], required = true, isKept } = options
    const owner = 'idempotencyKey'
    checkOptionNames(owner, options, [
      'manager',
      'tenantOf',
      'operation',
      'methods',
      'required',
      'isKept',
      'maxResponseBytes',
      'maxRequestBytes',
      'answerWithin',
    ])
    if (manager !== undefined && typeof manager.execute !== 'function')
      throw invalidOption(owner, 'manager', manager, 'an idempotencyManager()')
    this.manager = manager ?? idempotencyManager({ name: 'http' })
    this.tenantOf = functionOption(owner, 'tenantOf', tenantOf) ?? (() => '')
    this.operation = operation
    this.methods = new Set(methods)
    this.required = required
    this.isKept = functionOption(owner, 'isKept', isKept) ?? ((status) => status !== 429 && status !== 503)
    this.maxResponseBytes = integerOption(owner, 'maxResponseBytes', options.maxResponseBytes ?? 2 ** 18)
    this.maxRequestBytes = integerOption(owner, 'maxRequestBytes', options.maxRequestBytes ?? 2 ** 20)
    this.answerWithinMs = durationMs(owner, 'answerWithin', options.answerWithin ?? '5m')
  }

  /** Whether a request has to be looked at; undefined passes it on untouched. */
  guards(method: string, keyField: string | undefined): boolean {
    return this.methods.has(method) && (this.required || keyField !== undefined)
  }

  tenant(request: Request): string {
    return this.tenantOf(request)
  }

  begin({ method, target, keyField, tenant, body }: RequestFacts): GuardedRequest {
    let runs = false
    let decide: (answer: HttpAnswer | undefined) => void = () => undefined
    let refuse: (error: unknown) => void = () => undefined
    let respond: (response: StoredResponse) => void = () => undefined
    let fail: (error: unknown) => void = () => undefined
    const decision = new Promise<HttpAnswer | undefined>((resolve, reject) => {
      decide = resolve
      refuse = reject
    })
    const response = new Promise<StoredResponse>((resolve, reject) => {
      respond = resolve
      fail = reject
    })
    const run = (): Promise<StoredResponse> => {
      runs = true
      decide(undefined)
      return response
    }
    const options = {
      tenant,
      operation: this.operation,
      payload: [method, target, body],
      replayFailures: (error: unknown) => !(error instanceof NotKept),
    }
    const recorded = this.execute(keyField, run, options).then(
      (stored) => {
        if (!runs) decide(replayAnswer(stored))
      },
      (error: unknown) => {
        if (runs) return // the handler's own answer is sent, whatever became of its record
        const answer = errorAnswer(error)
        if (answer === undefined) refuse(error)
        else decide(answer)
      },
    )
    let countdown: HeapNode | undefined
    let answered = false
    const answer = (): void => {
      answered = true
      if (countdown !== undefined) heap.remove(countdown)
    }
    return {
      decision,
      respond: (made) => {
        answer()
        if (this.isKept(made.status)) respond(made)
        else fail(new NotKept())
        return recorded
      },
      fail: (error) => {
        answer()
        fail(error)
      },
      left: () => {
        if (answered || countdown !== undefined) return
        const unknown = errorWithoutStack({ code: 'ERR_IDEMPOTENCY_OUTCOME_UNKNOWN', policy: this.manager.name })
        countdown = { dueAt: systemClock.now() + this.answerWithinMs, place: -1, expire: () => fail(unknown) }
        heap.add(countdown)
      },
    }
  }

  private async execute(
    keyField: string | undefined,
    run: () => Promise<StoredResponse>,
    options: Parameters<IdempotencyManager['execute']>[2],
  ): Promise<StoredResponse> {
    if (keyField === undefined) throw errorWithoutStack({ code: 'ERR_IDEMPOTENCY_KEY_MISSING', policy: this.manager.name })
    // the draft wants a quoted string; most clients send the bare text
    const key = keyField.trimStart().startsWith('"') ? readString(keyField) : keyField.trim()
    if (key === undefined || key === '') throw errorWithoutStack({ code: 'ERR_IDEMPOTENCY_KEY_INVALID', policy: this.manager.name })
    return this.manager.execute(key, run, options)
  }
}
