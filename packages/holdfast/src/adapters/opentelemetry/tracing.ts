import { CallState, type Call } from '../../core/call.ts'
import { systemClock } from '../../core/clock.ts'
import { isHoldfastError } from '../../core/errors.ts'
import type { Listener, PolicyEvent } from '../../core/events.ts'
import type { Flow, Layer, Part, Sink } from '../../core/layer.ts'
import { checkOptionNames, invalidOption, nameOption } from '../../core/options.ts'
import { parts } from '../../core/parts.ts'
import { BasePolicy, type Policy, type PolicyDescription, type PolicyStatus } from '../../core/policy.ts'
import { isRefusal } from '../../core/refusal.ts'
import { verdictOf } from '../../core/verdict.ts'

type Attributes = Readonly<Record<string, string | number | boolean>>

interface Span {
  setAttributes(attributes: Attributes): unknown
  setStatus(status: { readonly code: number; readonly message?: string }): unknown
  recordException(exception: Error): void
  end(): void
}

interface Tracer {
  startSpan(name: string, options: { readonly attributes: Attributes }, context: unknown): Span
}

/** What is used of `@opentelemetry/api`, handed in as a whole: nothing of it is loaded here. */
export interface OpenTelemetryApi {
  readonly trace: { getTracer(name: string): Tracer; setSpan(context: unknown, span: Span): unknown }
  readonly context: { active(): unknown; with(context: unknown, run: () => unknown): unknown }
}

export interface TracingOptions {
  /** `import * as api from '@opentelemetry/api'` */
  readonly api: OpenTelemetryApi
  /** Name of the spans, and of the policy: what is done, `charge` say. */
  readonly name: string
  /** On every span. */
  readonly attributes?: Attributes
}

export interface Tracing extends Policy {
  readonly kind: 'tracing'
}

/** SpanStatusCode.ERROR of the API. */
const statusError = 2

/**
 * A span around whatever stands inside it: outside a retry around all attempts, inside one around each, as children of the span outside.
 * The function runs within the innermost of them, so that what it calls is traced below it, also after a delay or a wait. A span ends with
 * the work: that of a streamed body, with the body. Attributes: `holdfast.attempt`, `holdfast.priority`, `holdfast.label.*`, and
 * `error.type` as OpenTelemetry's conventions have it.
 * @throws HoldfastError `ERR_INVALID_OPTION`.
 * @example `pipeline(tracing({ api, name: 'charge' }), retry(), tracing({ api, name: 'charge attempt' }), timeout('2s'))`
 */
export function tracing(options: TracingOptions): Tracing {
  return new TracingPolicy(options)
}

class TracingPolicy extends BasePolicy implements Tracing {
  readonly kind = 'tracing' as const
  readonly [parts]: readonly Part[]
  private readonly flow: TracingFlow

  constructor(options: TracingOptions) {
    checkOptionNames('tracing', options, ['api', 'name', 'attributes'])
    const { api, attributes = {} } = options
    const name = nameOption('tracing', options.name)
    if (typeof api?.trace?.getTracer !== 'function' || typeof api.context?.with !== 'function')
      throw invalidOption(name, 'api', api, "what `import * as api from '@opentelemetry/api'` gives")
    super(name, systemClock)
    this.flow = new TracingFlow(api, name, attributes)
    this[parts] = [this.flow]
  }

  on(_listener: Listener<PolicyEvent>): () => void {
    return () => undefined
  }

  describe(): PolicyDescription {
    return { kind: this.kind, name: this.name }
  }

  status(): PolicyStatus {
    return { kind: this.kind, name: this.name, spans: this.flow.spans }
  }
}

/** OpenTelemetry's contexts of the calls that are traced. */
const contexts = new WeakMap<CallState, unknown>()

/** The context of the innermost span around a call. Policies begin calls from timers and queues, where the active one is another's. */
function contextOf(call: CallState): unknown {
  for (let each: CallState | undefined = call; each !== undefined; each = each.parent) {
    const found = contexts.get(each)
    if (found !== undefined) return found
  }
  return undefined
}

class TracingFlow implements Flow {
  readonly kind = 'flow' as const
  spans = 0
  private readonly api: OpenTelemetryApi
  private readonly tracer: Tracer
  private readonly name: string
  private readonly attributes: Attributes

  constructor(api: OpenTelemetryApi, name: string, attributes: Attributes) {
    this.api = api
    this.tracer = api.trace.getTracer('holdfast')
    this.name = name
    this.attributes = attributes
  }

  start(next: Layer, outer: Call, out: Sink): void {
    this.spans++
    const call = outer as CallState
    const { api } = this
    const around = contextOf(call)
    const parent = around ?? api.context.active()
    const span = this.tracer.startSpan(this.name, { attributes: { ...this.attributes, ...attributesOf(call) } }, parent)
    const context = api.trace.setSpan(parent, span)
    const run =
      around === undefined ? (inner: Call) => api.context.with(contextOf(inner as CallState) ?? context, () => call.run(inner)) : call.run
    const traced = new CallState(run, call.invocation, call, call.attempt, call.deadlineAt, false)
    contexts.set(traced, context)
    next.start(traced, new TracedRun(span, traced, out))
  }
}

function attributesOf({ attempt, priority, labels }: Call): Attributes {
  const attributes: Record<string, string | number> = { 'holdfast.attempt': attempt, 'holdfast.priority': priority }
  if (labels !== undefined) for (const [name, value] of Object.entries(labels)) attributes[`holdfast.label.${name}`] = value
  return attributes
}

/** One span, and the call in it. */
class TracedRun implements Sink {
  private readonly span: Span
  private readonly call: CallState
  private readonly out: Sink

  constructor(span: Span, call: CallState, out: Sink) {
    this.span = span
    this.call = call
    this.out = out
  }

  settle(ok: boolean, value: unknown): void {
    const { call } = this
    if (!ok) this.failed(value)
    call.close()
    if (ok && call.streaming > 0) call.whenEnded(this)
    else this.span.end()
    this.out.settle(ok, value)
  }

  /** A body may have ended. */
  ended(): void {
    const { call } = this
    if (call.streaming > 0) {
      call.whenEnded(this)
      return
    }
    if (call.bodyFailure !== undefined) this.failed(call.bodyFailure.error)
    this.span.end()
  }

  private failed(value: unknown): void {
    const { span, call } = this
    if (isRefusal(value)) {
      span.setAttributes({ 'error.type': value.code, 'holdfast.refused_by': value.policy })
      span.setStatus({ code: statusError, message: value.code })
      return
    }
    span.setAttributes({ 'error.type': errorType(value) })
    if (verdictOf(false, value, call) === 'ignored') return // the caller has left, or another attempt was faster
    if (value instanceof Error) span.recordException(value)
    span.setStatus({ code: statusError, ...(value instanceof Error ? { message: value.message } : {}) })
  }
}

/** A class of errors, of which there are few; `_OTHER` is what the conventions call those that have no name. */
function errorType(error: unknown): string {
  if (isHoldfastError(error)) return error.code
  if (!(error instanceof Error)) return '_OTHER'
  return error.name === 'Error' ? error.constructor.name : error.name
}
