import { AsyncLocalStorage } from 'node:async_hooks'
import * as api from '@opentelemetry/api'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace-base'
import { bulkhead, cache, circuitBreaker, hedge, pipeline, retry, timeout, type PolicyLike } from 'holdfast'
import { tracing } from 'holdfast/adapters/opentelemetry'
import { fakeClock } from 'holdfast/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

const exporter = new InMemorySpanExporter()
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
const store = new AsyncLocalStorage<api.Context>()

beforeAll(() => {
  api.trace.setGlobalTracerProvider(provider)
  api.context.setGlobalContextManager({
    active: () => store.getStore() ?? api.ROOT_CONTEXT,
    with: (context, run, self, ...args) => store.run(context, () => run.apply(self, args)),
    bind: (_context, target) => target,
    enable() {
      return this
    },
    disable() {
      return this
    },
  })
})
beforeEach(() => exporter.reset())
afterAll(async () => {
  api.trace.disable()
  api.context.disable()
  await provider.shutdown()
})

const clock = fakeClock()
const transient = (): Error => Object.assign(new Error('reset'), { code: 'ECONNRESET' })
const tracer = api.trace.getTracer('test')

/** A span of what the function calls: its parent tells where the function ran. */
const dependency = async (): Promise<string> => {
  tracer.startSpan('dependency').end()
  return 'done'
}

/** Spans by the path of their names from the root. */
function paths(): string[] {
  const spans = exporter.getFinishedSpans()
  const byId = new Map(spans.map((span) => [span.spanContext().spanId, span]))
  const pathOf = (span: ReadableSpan): string => {
    const parent = byId.get(span.parentSpanContext?.spanId ?? '')
    return parent === undefined ? span.name : `${pathOf(parent)}/${span.name}`
  }
  return spans.map(pathOf).toSorted()
}

const spanOf = (name: string): ReadableSpan => exporter.getFinishedSpans().find((span) => span.name === name) as ReadableSpan

describe('tracing', () => {
  it('puts a span around all attempts and one around each, and the function runs in the latter, also after a delay', async () => {
    const guarded = pipeline(
      { clock },
      tracing({ api, name: 'charge', attributes: { 'peer.service': 'bank' } }),
      retry({ initialDelay: '1s', clock }),
      tracing({ api, name: 'attempt' }),
    )
    const answer = tracer.startActiveSpan('request', (request) =>
      guarded
        .execute(({ attempt }) => (attempt === 1 ? Promise.reject(transient()) : dependency()), {
          labels: { model: 'large' },
          priority: 'high',
        })
        .finally(() => request.end()),
    )
    await clock.advance('10s')
    await answer
    expect(paths()).toEqual([
      'request',
      'request/charge',
      'request/charge/attempt',
      'request/charge/attempt',
      'request/charge/attempt/dependency',
    ])
    expect(spanOf('charge').attributes).toEqual({
      'peer.service': 'bank',
      'holdfast.attempt': 1,
      'holdfast.priority': 'high',
      'holdfast.label.model': 'large',
    })
    const attempts = exporter.getFinishedSpans().filter(({ name }) => name === 'attempt')
    expect(attempts.map(({ attributes, status }) => [attributes['holdfast.attempt'], attributes['error.type'], status.code])).toEqual([
      [1, 'Error', api.SpanStatusCode.ERROR],
      [2, undefined, api.SpanStatusCode.UNSET],
    ])
    expect(attempts[0]?.events).toMatchObject([{ name: 'exception', attributes: { 'exception.message': 'reset' } }])
  })

  it('keeps calls apart that wait for a place, whoever gives it to them', async () => {
    const place = bulkhead({ maxConcurrent: 1, maxQueued: 10, clock })
    const guarded = pipeline({ clock }, tracing({ api, name: 'call' }), place)
    const ask = (name: string): Promise<unknown> =>
      tracer.startActiveSpan(name, (span) => guarded.execute(dependency).finally(() => span.end()))
    await Promise.all(['a', 'b', 'c'].map(ask))
    expect(paths()).toEqual(['a', 'b', 'c'].flatMap((name) => [name, `${name}/call`, `${name}/call/dependency`]))
  })

  it.each<[string, PolicyLike, string, number, string | undefined]>([
    ['a refusal', circuitBreaker({ name: 'bank', mode: 'enforce' }), 'ERR_CIRCUIT_ISOLATED', api.SpanStatusCode.ERROR, 'bank'],
    ['a timeout', timeout({ after: 10, clock }), 'ERR_TIMEOUT', api.SpanStatusCode.ERROR, undefined],
  ])('says how it failed: %s', async (_what, policy, type, code, refusedBy) => {
    if ('isolate' in policy) (policy as ReturnType<typeof circuitBreaker>).isolate()
    const outcome = pipeline({ clock }, tracing({ api, name: 'call' }), policy).tryExecute(() => new Promise(() => undefined))
    await clock.advance(10)
    await outcome
    const { attributes, status } = spanOf('call')
    expect([attributes['error.type'], status.code, attributes['holdfast.refused_by']]).toEqual([type, code, refusedBy])
  })

  it('a caller who leaves, and an attempt that another one overtook, are no errors of the span', async () => {
    const guarded = pipeline({ clock }, hedge({ delay: 10, clock }), tracing({ api, name: 'attempt' }))
    const answer = guarded.execute(({ attempt }) => (attempt === 1 ? new Promise(() => undefined) : 'fast'))
    await clock.advance(10)
    expect(await answer).toBe('fast')
    const outcomes = exporter.getFinishedSpans().map(({ attributes, status }) => [attributes['error.type'], status.code])
    expect(outcomes).toEqual([
      [undefined, api.SpanStatusCode.UNSET],
      ['AbortError', api.SpanStatusCode.UNSET],
    ])
    exporter.reset()
    await pipeline({ clock }, tracing({ api, name: 'call' })).tryExecute(() => Promise.reject('a text'))
    expect(spanOf('call').attributes['error.type']).toBe('_OTHER')
    class LedgerError extends Error {}
    exporter.reset()
    await tracing({ api, name: 'call' }).tryExecute(() => Promise.reject(new LedgerError('no')))
    expect(spanOf('call').attributes['error.type']).toBe('LedgerError')
  })

  it('ends with the body of a streamed answer, and hears how that ended', async () => {
    for (const failure of [undefined, new TypeError('cut off')]) {
      exporter.reset()
      let end = (): void => undefined
      const body = new Promise<void>((resolve, reject) => (end = () => (failure === undefined ? resolve() : reject(failure))))
      const guarded = pipeline({ clock }, tracing({ api, name: 'call' }), timeout({ after: '1s', clock }))
      expect(await guarded.execute((call) => (call.until(body), 'head'))).toBe('head')
      expect(exporter.getFinishedSpans()).toEqual([])
      end()
      await clock.advance(0)
      expect(spanOf('call').attributes['error.type']).toBe(failure === undefined ? undefined : 'TypeError')
    }
  })

  it('inside a cache belongs to the call that fetched', async () => {
    const guarded = pipeline({ clock }, tracing({ api, name: 'call' }), cache({ ttl: '1m', clock }), tracing({ api, name: 'fetch' }))
    const ask = (name: string): Promise<unknown> =>
      tracer.startActiveSpan(name, (span) => guarded.execute(dependency, { key: 'k' }).finally(() => span.end()))
    await Promise.all([ask('a'), ask('b')])
    expect(paths().filter((path) => path.endsWith('fetch/dependency'))).toHaveLength(1)
    expect(paths().filter((path) => path.endsWith('/call'))).toEqual(['a/call', 'b/call'])
  })

  it('needs the API, and says so', () => {
    expect(() => tracing({ api: {} as never, name: 'x' })).toThrow(
      "option 'api' must be what `import * as api from '@opentelemetry/api'` gives",
    )
    const policy = tracing({ api, name: 'x' })
    expect([policy.describe(), policy.status()]).toEqual([
      { kind: 'tracing', name: 'x' },
      { kind: 'tracing', name: 'x', spans: 0 },
    ])
  })
})
