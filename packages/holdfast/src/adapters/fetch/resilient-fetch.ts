import { booleanOption, checkOptionNames, functionOption, integerOption, invalidOption } from '../../core/options.ts'
import type { CallOptions, Policy } from '../../core/policy.ts'
import type { RateLimiter } from '../../patterns/rate-limiter/index.ts'
import { FetchExchange } from './fetch-exchange.ts'
import { SendableRequest, type FetchRequest } from './fetch-request.ts'
import { isRepeatable } from './repeatable.ts'

/** What a caller may say about one request, in the field `holdfast` of its init. */
export type FetchCallOptions = Omit<CallOptions, 'signal'>

export interface ResilientRequestInit extends RequestInit {
  readonly holdfast?: FetchCallOptions
}

/** As `fetch`, and can stand wherever a client takes a `fetch` of its own. */
export interface ResilientFetch {
  (input: string | URL | Request, init?: ResilientRequestInit): Promise<Response>
}

export interface ResilientFetchOptions {
  /** What sends the requests. @defaultValue the global `fetch` of the moment */
  readonly fetch?: (input: string | URL | Request, init?: RequestInit) => Promise<Response>
  /** Which answers are failures to the policies. The caller gets them as answers all the same. @defaultValue 408, 425, 429 and 500 up */
  readonly isFailure?: (response: Response, request: FetchRequest) => boolean
  /**
   * Which requests may be sent twice, whatever became of the first. Others are repeated only when the first surely was not worked on.
   * @defaultValue GET, HEAD, OPTIONS, TRACE, PUT, DELETE, and those with an Idempotency-Key
   */
  readonly isRepeatable?: (request: FetchRequest) => boolean
  /** The key of a request for keyed policies; `'host'` keeps servers apart. @defaultValue none */
  readonly keyOf?: 'host' | ((request: FetchRequest) => string | undefined)
  /** What a request uses of rate limits. @defaultValue what the limits say */
  readonly costOf?: (request: FetchRequest) => CallOptions['cost']
  /** Goes by the quotas that the answers' headers tell of, and pauses on 429; see {@link RateLimiter.learnFrom}. It belongs into the policy as well. */
  readonly limiter?: RateLimiter
  /** Reads the tokens an LLM's answer took as its body passes, for {@link responseTokens}. @defaultValue false */
  readonly readUsage?: boolean
  /** Bytes of a streamed request body that are kept so that it can be sent again; 0: none, and no second attempt. @defaultValue 0 */
  readonly keepStreams?: number
  /** A header that tells the server how many milliseconds the caller still waits. @defaultValue none */
  readonly deadlineHeader?: string
}

export interface FetchRules {
  readonly fetch: NonNullable<ResilientFetchOptions['fetch']>
  readonly isFailure: NonNullable<ResilientFetchOptions['isFailure']>
  readonly isRepeatable: NonNullable<ResilientFetchOptions['isRepeatable']>
  readonly keyOf: ((request: FetchRequest) => string | undefined) | undefined
  readonly costOf: ResilientFetchOptions['costOf']
  readonly limiter: RateLimiter | undefined
  readonly readUsage: boolean
  readonly keptBytes: number
  readonly deadlineHeader: string | undefined
}

const optionNames = [
  'fetch',
  'isFailure',
  'isRepeatable',
  'keyOf',
  'costOf',
  'limiter',
  'readUsage',
  'keepStreams',
  'deadlineHeader',
] as const

/**
 * A `fetch` whose requests go through a policy: each attempt is one request. An answer that counts as a failure is repeated where a retry
 * says so and the request may be sent twice; when nothing is left, the caller gets that answer, unread, as from `fetch`. The call
 * ends with its body, so streams keep their places in bulkheads, and one that breaks off is a failure.
 * @throws what `fetch` throws; a HoldfastError when a policy refuses or gives up; the reason of an aborted signal.
 * @example `new OpenAI({ fetch: resilientFetch(pipeline(retry(), timeout('30s'))), maxRetries: 0 })`
 */
export function resilientFetch(policy: Pick<Policy, 'execute'>, options: ResilientFetchOptions = {}): ResilientFetch {
  if (typeof policy?.execute !== 'function') throw invalidOption('resilientFetch', 'policy', policy, 'a policy or a pipeline')
  const rules = fetchRules(options)
  return async (input, init = {}) => {
    const { holdfast, ...plainInit } = init ?? {}
    const request = new SendableRequest(input, plainInit)
    const exchange = new FetchExchange(rules, request)
    const call = callOptions(rules, request, holdfast)
    return policy.execute(exchange.attempt, call).then(
      (answer) => exchange.succeed(answer),
      (error: unknown) => exchange.fail(error),
    )
  }
}

function callOptions({ keyOf, costOf }: FetchRules, request: SendableRequest, given: FetchCallOptions | undefined): CallOptions {
  const key = given?.key ?? keyOf?.(request)
  const cost = given?.cost ?? costOf?.(request)
  const idempotencyKey = given?.idempotencyKey ?? (request.headers.get('idempotency-key') || undefined)
  return { ...given, key, cost, idempotencyKey, context: given?.context ?? request, signal: request.signal }
}

function fetchRules(options: ResilientFetchOptions): FetchRules {
  const owner = 'resilientFetch'
  checkOptionNames(owner, options, optionNames)
  const { keyOf, limiter, deadlineHeader } = options
  if (limiter !== undefined && typeof limiter?.learnFrom !== 'function') throw invalidOption(owner, 'limiter', limiter, 'a rateLimiter()')
  if (deadlineHeader !== undefined && !(typeof deadlineHeader === 'string' && /^[\w-]+$/.test(deadlineHeader)))
    throw invalidOption(owner, 'deadlineHeader', deadlineHeader, 'the name of a header')
  return {
    fetch: functionOption(owner, 'fetch', options.fetch) ?? ((input, init) => globalThis.fetch(input, init)),
    isFailure: functionOption(owner, 'isFailure', options.isFailure) ?? hasFailureStatus,
    isRepeatable: functionOption(owner, 'isRepeatable', options.isRepeatable) ?? isRepeatable,
    keyOf: keyOf === 'host' ? ({ url }) => url.host : functionOption(owner, 'keyOf', keyOf),
    costOf: functionOption(owner, 'costOf', options.costOf),
    limiter,
    readUsage: booleanOption(owner, 'readUsage', options.readUsage ?? false),
    keptBytes: integerOption(owner, 'keepStreams', options.keepStreams ?? 0),
    deadlineHeader,
  }
}

const failureStatus: ReadonlySet<number> = new Set([408, 425, 429])

function hasFailureStatus({ status }: Response): boolean {
  return status >= 500 || failureStatus.has(status)
}
