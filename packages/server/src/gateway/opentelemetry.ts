import type { Span, SpanContext } from '@opentelemetry/api'
import type { AttemptTrace, RequestTrace, TracedAttempt, TracedRequest, TracedResult, Tracing } from './tracing.ts'

export interface OpenTelemetryOptions {
  /** OTLP over HTTP, such as `http://127.0.0.1:4318/v1/traces`. */
  readonly endpoint: string
  /** Share of the traces begun here that are sent; those a client begins are its decision. */
  readonly sampleRatio: number
  /** Sent with every request to the endpoint. */
  readonly headers: Readonly<Record<string, string>>
  readonly serviceName: string
  readonly serviceVersion: string
}

export interface OpenTelemetryTracing extends Tracing {
  /** Sends what is left, for a while. */
  close(): Promise<void>
}

/** Packages that tracing needs and that are not installed, in one line with the way out. */
export class TracingUnavailableError extends Error {
  readonly code = 'ERR_TRACING_UNAVAILABLE'
  constructor(cause: unknown) {
    super(`server.tracing needs packages that are not installed: npm install ${packages.join(' ')}`, { cause })
  }
}
Object.defineProperty(TracingUnavailableError.prototype, 'name', { value: 'TracingUnavailableError' })

const packages = [
  '@opentelemetry/api',
  '@opentelemetry/resources',
  '@opentelemetry/sdk-trace-base',
  '@opentelemetry/exporter-trace-otlp-http',
] as const

const longestCloseMs = 3_000

/**
 * Traces by OpenTelemetry, after its semantic conventions for HTTP: a span for every request of a client, and one inside it for every
 * attempt. Spans that cannot be sent in time are left out; requests never wait for them.
 * @throws TracingUnavailableError
 */
export async function openTelemetryTracing(options: OpenTelemetryOptions): Promise<OpenTelemetryTracing> {
  const { api, resources, sdk, otlp } = await load()
  const exporter = new otlp.OTLPTraceExporter({ url: options.endpoint, headers: { ...options.headers } })
  const provider = new sdk.BasicTracerProvider({
    resource: resources.resourceFromAttributes({ 'service.name': options.serviceName, 'service.version': options.serviceVersion }),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(options.sampleRatio) }),
    spanProcessors: [new sdk.BatchSpanProcessor(exporter)],
  })
  const tracer = provider.getTracer('@holdfast/server', options.serviceVersion)
  const { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } = api

  const remoteParent = (request: TracedRequest): SpanContext | undefined => {
    const match = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-|$)/.exec(request.header('traceparent')?.trim() ?? '')
    if (match === null) return undefined
    const state = request.header('tracestate')
    const parent: SpanContext = {
      traceId: match[1] as string,
      spanId: match[2] as string,
      traceFlags: Number.parseInt(match[3] as string, 16) & 1,
      isRemote: true,
      ...(state === undefined || state.length > 512 ? {} : { traceState: api.createTraceState(state) }),
    }
    return api.isSpanContextValid(parent) ? parent : undefined
  }

  const begin = (request: TracedRequest): RequestTrace => {
    const parent = remoteParent(request)
    const context = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent)
    const attributes = {
      ...methodAttributes(request.method),
      'url.path': request.path.slice(0, 2_048),
      'url.scheme': request.protocol,
      'client.address': request.clientAddress,
      'holdfast.request_id': request.requestId,
    }
    const span = tracer.startSpan(spanName(request.method), { kind: SpanKind.SERVER, attributes }, context)
    const inside = trace.setSpan(context, span)
    return {
      traceId: span.spanContext().traceId,
      beginAttempt: (attempt) =>
        attemptTrace(tracer.startSpan(spanName(attempt.method), { kind: SpanKind.CLIENT, attributes: attemptAttributes(attempt) }, inside)),
      end: (result) => endRequest(span, request.method, result),
    }
  }

  function attemptTrace(span: Span): AttemptTrace {
    return {
      headers: traceHeadersOf(span.spanContext()),
      end: (status, error) => {
        if (status !== undefined) span.setAttribute('http.response.status_code', status)
        const type = error === undefined ? (status !== undefined && status >= 400 ? String(status) : undefined) : errorType(error)
        if (type !== undefined) span.setAttribute('error.type', type).setStatus({ code: SpanStatusCode.ERROR })
        span.end()
      },
    }
  }

  function endRequest(span: Span, method: string, { status, cause, upstream, bytes }: TracedResult): void {
    span.setAttribute('http.response.status_code', status).setAttribute('http.response.body.size', bytes)
    if (upstream !== undefined) {
      span.updateName(`${spanName(method)} /${upstream}/*`)
      span.setAttribute('http.route', `/${upstream}/*`).setAttribute('holdfast.upstream', upstream)
    }
    if (cause !== undefined) span.setAttribute('holdfast.cause', cause)
    const isCut = cause === 'upstream-cut'
    if (status >= 500 || isCut) span.setAttribute('error.type', cause ?? String(status)).setStatus({ code: SpanStatusCode.ERROR })
    span.end()
  }

  return { begin, close: () => closeInTime(() => provider.shutdown()) }
}

// eslint-disable-next-line @typescript-eslint/explicit-function-return-type -- the types of packages that may not be there
async function load() {
  try {
    const [api, resources, sdk, otlp] = await Promise.all([
      import('@opentelemetry/api'),
      import('@opentelemetry/resources'),
      import('@opentelemetry/sdk-trace-base'),
      import('@opentelemetry/exporter-trace-otlp-http'),
    ])
    return { api, resources, sdk, otlp }
  } catch (error) {
    throw new TracingUnavailableError(error)
  }
}

const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'CONNECT'])

/** Names of spans must not be many: a method nobody knows has none of its own. */
function spanName(method: string): string {
  return knownMethods.has(method) ? method : 'HTTP'
}

function methodAttributes(method: string): Record<string, string> {
  return knownMethods.has(method)
    ? { 'http.request.method': method }
    : { 'http.request.method': '_OTHER', 'http.request.method_original': method }
}

/** Without the query: it may hold secrets. */
function attemptAttributes({ upstream, url, path, method, attempt }: TracedAttempt): Record<string, string | number> {
  const { protocol, hostname, port, origin } = url
  const query = path.indexOf('?')
  return {
    ...methodAttributes(method),
    'url.full': origin + (query < 0 ? path : path.slice(0, query)).slice(0, 2_048),
    'server.address': hostname,
    'server.port': port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
    'holdfast.upstream': upstream,
    ...(attempt > 1 ? { 'http.request.resend_count': attempt - 1 } : {}),
  }
}

function traceHeadersOf({ traceId, spanId, traceFlags, traceState }: SpanContext): string[] {
  const headers = ['traceparent', `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`]
  const state = traceState?.serialize() ?? ''
  if (state !== '') headers.push('tracestate', state)
  return headers
}

function errorType(error: Error): string {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : error.name
}

async function closeInTime(shutdown: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, longestCloseMs)
  })
  await Promise.race([shutdown().catch(() => undefined), late])
  clearTimeout(timer)
}
