import { gunzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { Cleanup } from '../../support/server.ts'
import { startCanary, startGateway } from './hostile.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

interface Span {
  readonly name: string
  readonly kind: number
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly traceState?: string
  readonly status: { readonly code?: number }
  readonly attributes: Readonly<Record<string, unknown>>
}

/** A receiver of OTLP that keeps what it is sent. */
async function startReceiver(): Promise<{ url: string; spans: Span[]; headers: Record<string, unknown>[]; text: () => string }> {
  const spans: Span[] = []
  const headers: Record<string, unknown>[] = []
  let all = ''
  const canary = await startCanary(cleanup, (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const bytes = Buffer.concat(chunks)
      const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString()
      all += text
      headers.push(request.headers)
      for (const resource of (JSON.parse(text) as Otlp).resourceSpans) {
        for (const scope of resource.scopeSpans) {
          for (const span of scope.spans)
            spans.push({ ...span, attributes: Object.fromEntries(span.attributes.map(({ key, value }) => [key, Object.values(value)[0]])) })
        }
      }
      response.setHeader('content-type', 'application/json').end('{}')
    })
  })
  return { url: `${canary.url}/v1/traces`, spans, headers, text: () => all }
}

interface Otlp {
  resourceSpans: {
    scopeSpans: { spans: (Omit<Span, 'attributes'> & { attributes: { key: string; value: Record<string, unknown> }[] })[] }[]
  }[]
}

const tracing = (url: string, more = ''): string => `  tracing: { endpoint: '${url}', headers: { x-key: endpoint-secret }${more} }`

describe('traces', () => {
  it('have a span for the request and one inside it for each attempt, of the client’s own trace', async () => {
    const receiver = await startReceiver()
    let failures = 1
    const canary = await startCanary(cleanup, (_request, response) => void response.writeHead(failures-- > 0 ? 503 : 200).end('fine'))
    const server = await startGateway(cleanup, canary.url, {
      more: tracing(receiver.url),
      pipeline: '{ attemptTimeout: 5s, retry: { maxAttempts: 3, initialDelay: 1ms } }',
    })
    const traceId = '0af7651916cd43dd8448eb211c80319c'
    await fetch(`${server.gatewayUrl}/up/v1?q=query-secret`, {
      headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01`, tracestate: 'vendor=1', cookie: 'cookie-secret' },
    }).then((response) => response.text())
    await server.close()
    const [first, second, request] = receiver.spans
    expect(receiver.spans).toHaveLength(3)
    expect(request).toMatchObject({ name: 'GET /up/*', kind: 2, traceId, parentSpanId: 'b7ad6b7169203331', traceState: 'vendor=1' })
    expect(request?.attributes).toMatchObject({
      'http.request.method': 'GET',
      'http.route': '/up/*',
      'url.path': '/up/v1',
      'url.scheme': 'http',
      'client.address': '127.0.0.1',
      'http.response.status_code': 200,
    })
    expect(request?.status.code ?? 0).toBe(0)
    for (const attempt of [first, second]) expect(attempt).toMatchObject({ name: 'GET', kind: 3, traceId, parentSpanId: request?.spanId })
    expect(first?.attributes).toMatchObject({
      'http.response.status_code': 503,
      'error.type': '503',
      'url.full': `${canary.url}/v1`,
      'server.port': canary.port,
    })
    expect(first?.status.code).toBe(2)
    expect(second?.attributes).toMatchObject({ 'http.response.status_code': 200, 'http.request.resend_count': 1 })
    expect(canary.requests.map(({ headers }) => headers['traceparent'])).toEqual(
      [first, second].map((span) => `00-${traceId}-${span?.spanId}-01`),
    )
    expect(canary.requests[0]?.headers['tracestate']).toBe('vendor=1')
    expect(receiver.headers[0]?.['x-key']).toBe('endpoint-secret')
    expect(receiver.text()).not.toMatch(/query-secret|cookie-secret|endpoint-secret/)
  })

  it('begin here when the client’s headers are none, and tell what went wrong', async () => {
    const receiver = await startReceiver()
    const gone = await startCanary(cleanup)
    gone.server.close()
    const server = await startGateway(cleanup, gone.url, { more: tracing(receiver.url) })
    for (const traceparent of [
      'nonsense',
      '00-00000000000000000000000000000000-b7ad6b7169203331-01',
      'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    ])
      await fetch(`${server.gatewayUrl}/up/x`, { headers: { traceparent } })
    await fetch(`${server.gatewayUrl}/nobody/x`, { method: 'PROPFIND' })
    await server.close()
    const requests = receiver.spans.filter(({ kind }) => kind === 2)
    expect(requests).toHaveLength(4)
    for (const { parentSpanId, attributes, status } of requests.slice(0, 3)) {
      expect([parentSpanId ?? '', status.code]).toEqual(['', 2])
      expect(attributes).toMatchObject({
        'http.response.status_code': 502,
        'error.type': 'upstream-unreachable',
        'holdfast.cause': 'upstream-unreachable',
      })
    }
    expect(requests[3]).toMatchObject({
      name: 'HTTP',
      attributes: { 'http.request.method': '_OTHER', 'http.request.method_original': 'PROPFIND' },
    })
    expect(receiver.spans.find(({ kind }) => kind === 3)?.attributes['error.type']).toBe('ECONNREFUSED')
  })

  it('that are not sampled are not sent, and their headers still name one trace', async () => {
    const receiver = await startReceiver()
    const canary = await startCanary(cleanup)
    const server = await startGateway(cleanup, canary.url, { more: tracing(receiver.url, ', sampleRatio: 0') })
    await fetch(`${server.gatewayUrl}/up/x`)
    await fetch(`${server.gatewayUrl}/up/x`, { headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00' } })
    await server.close()
    expect(receiver.spans).toEqual([])
    expect(canary.requests[0]?.headers['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
    expect(canary.requests[1]?.headers['traceparent']).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-00$/)
  })

  it('an endpoint that is not there hurts no request, and closing does not wait for it for long', async () => {
    const canary = await startCanary(cleanup)
    const server = await startGateway(cleanup, canary.url, { more: tracing('http://127.0.0.1:1/v1/traces') })
    for (let index = 0; index < 20; index++) expect((await fetch(`${server.gatewayUrl}/up/x`)).status).toBe(200)
    await server.close()
  })
})
