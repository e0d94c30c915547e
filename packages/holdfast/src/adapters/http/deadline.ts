import { systemClock, type Clock } from '../../core/clock.ts'
import { deadlineHeap, type HeapNode } from '../../core/deadline-heap.ts'
import { durationMs, type Duration } from '../../core/duration.ts'
import { errorWithoutStack } from '../../core/errors.ts'
import { checkOptionNames } from '../../core/options.ts'
import { errorAnswer, type HttpAnswer } from './answer.ts'

export interface DeadlineOptions {
  /** For requests that do not say how long they wait. @defaultValue no limit */
  readonly default?: Duration
  /** No request is worked on for longer, whatever it says. @defaultValue no limit */
  readonly max?: Duration
  readonly clock?: Clock
}

/** How long the client of a request waits. */
export interface RequestDeadline {
  /** Aborted when nobody waits any more: the time is up, or the client has left. */
  readonly signal: AbortSignal
  /** Milliseconds left, 0 or more; Infinity when the client waits for ever. Hand it on as `deadline` of policies, and to other services. */
  remainingMs(): number
}

interface DeadlineHeader {
  readonly name: string
  readonly expected: string
  readonly read: (text: string, wallNowMs: number) => number | undefined
}

/** Headers that say how long a client waits; the same as those of the gateway. Of several the shortest counts. */
const headers: readonly DeadlineHeader[] = [
  { name: 'x-holdfast-timeout-ms', expected: 'milliseconds from now, such as 2500', read: wholeMs },
  { name: 'x-holdfast-deadline', expected: 'an instant, as milliseconds since 1970 or such as 2030-01-31T12:00:00Z', read: untilInstant },
  { name: 'x-request-timeout-ms', expected: 'milliseconds from now, such as 2500', read: wholeMs },
  {
    name: 'x-envoy-upstream-rq-timeout-ms',
    expected: 'milliseconds from now; 0 for no limit',
    read: (text) => (text === '0' ? Infinity : wholeMs(text)),
  },
  { name: 'grpc-timeout', expected: 'up to 8 digits and one of H, M, S, m, u, n', read: grpcTimeout },
]

/** Milliseconds the client waits, Infinity when it does not say; or what is wrong with what it says. */
function clientPatienceMs(header: (name: string) => string | undefined, wallNowMs: number): number | { readonly problem: string } {
  let shortest = Infinity
  for (const { name, expected, read } of headers) {
    const value = header(name)
    if (value === undefined) continue
    const ms = read(value.trim(), wallNowMs)
    if (ms === undefined) return { problem: `the header ${name} must be ${expected}` }
    shortest = Math.min(shortest, ms)
  }
  return shortest
}

function wholeMs(text: string): number | undefined {
  return /^\d{1,11}$/.test(text) ? Number(text) : undefined
}

function untilInstant(text: string, wallNowMs: number): number | undefined {
  let at = Number.NaN
  if (/^\d{12,14}$/.test(text)) at = Number(text)
  else if (/^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(text)) at = Date.parse(text)
  return Number.isNaN(at) ? undefined : Math.max(0, at - wallNowMs)
}

const unitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 }

function grpcTimeout(text: string): number | undefined {
  const [, digits, unit = ''] = /^(\d{1,8})([HMSmun])$/.exec(text) ?? []
  return digits === undefined ? undefined : Number(digits) * (unitMs[unit] ?? 1)
}

/** A deadline that runs. Its one timer is that of all of its clock. */
export class RunningDeadline implements RequestDeadline, HeapNode {
  dueAt: number
  place = -1
  private readonly clock: Clock
  private readonly controller = new AbortController()

  constructor(clock: Clock, withinMs: number) {
    this.clock = clock
    this.dueAt = clock.now() + withinMs
    deadlineHeap(clock).add(this)
  }

  get signal(): AbortSignal {
    return this.controller.signal
  }

  remainingMs(): number {
    return Math.max(0, this.dueAt - this.clock.now())
  }

  expire(): void {
    this.controller.abort(errorWithoutStack({ code: 'ERR_DEADLINE_EXCEEDED' }))
  }

  /** The request has been answered. */
  end(): void {
    deadlineHeap(this.clock).remove(this)
  }

  /** The client has left. */
  leave(): void {
    this.end()
    this.controller.abort(new DOMException('the client has left', 'AbortError'))
  }
}

/** Deadlines of requests, by the request: whoever has it can ask. */
export class Deadlines {
  private readonly clock: Clock
  private readonly defaultMs: number
  private readonly maxMs: number

  constructor(options: DeadlineOptions) {
    checkOptionNames('deadline', options, ['default', 'max', 'clock'])
    this.clock = options.clock ?? systemClock
    this.defaultMs = options.default === undefined ? Infinity : durationMs('deadline', 'default', options.default, { min: 1 })
    this.maxMs = options.max === undefined ? Infinity : durationMs('deadline', 'max', options.max, { min: 1 })
  }

  /** Begins a deadline, or answers a request whose time is up already (504), or that says nonsense (400). */
  begin(header: (name: string) => string | undefined): RunningDeadline | HttpAnswer {
    const said = clientPatienceMs(header, this.clock.wallNow())
    if (typeof said === 'object') {
      const body = JSON.stringify({ type: 'about:blank', title: said.problem, status: 400 })
      return { status: 400, headers: { 'content-type': 'application/problem+json' }, body }
    }
    const withinMs = Math.min(said === Infinity ? this.defaultMs : said, this.maxMs)
    const answer = withinMs > 0 ? undefined : errorAnswer(errorWithoutStack({ code: 'ERR_DEADLINE_EXCEEDED' }))
    return answer ?? new RunningDeadline(this.clock, withinMs)
  }
}
