import { bulkhead, circuitBreaker, fallback, hedge, isHoldfastError, pipeline, retry, timeout, type Policy } from 'holdfast'
import { resilientFetch } from 'holdfast/adapters/fetch'
import { describe, expect, it } from 'vitest'
import { countListeners } from '../../core/listener-count.fixture.ts'
import { eventually, fetchServer } from './fetch-server.fixture.ts'

const quickRetry = (more: Parameters<typeof retry>[0] = {}): Policy => retry({ maxAttempts: 3, initialDelay: 1, jitter: 'none', ...more })
const text = (body: string) => (response: { end(body: string): unknown }) => response.end(body)

describe('resilientFetch', () => {
  it('is fetch where nothing goes wrong', async () => {
    const server = await fetchServer((response) => response.writeHead(201, { 'x-a': 'b' }).end('{"a":1}'))
    const response = await resilientFetch(quickRetry())(`${server.url}/path?q=1`, {
      method: 'POST',
      body: 'hello',
      headers: { 'x-b': 'c' },
    })
    expect([response.status, response.ok, response.statusText, response.url]).toEqual([201, true, 'Created', `${server.url}/path?q=1`])
    expect(response.headers.get('x-a')).toBe('b')
    expect(response.clone().url).toBe(response.url)
    expect(response.bodyUsed).toBe(false)
    expect(await response.json()).toEqual({ a: 1 })
    expect(response.bodyUsed).toBe(true)
    expect(server.requests).toMatchObject([{ method: 'POST', body: 'hello', headers: { 'x-b': 'c' } }])
  })

  it('repeats a failed status, and the caller sees the answer that mended it', async () => {
    const server = await fetchServer((response, count) => (count < 3 ? response.writeHead(503).end('busy') : response.end('fine')))
    expect(await (await resilientFetch(quickRetry())(server.url)).text()).toBe('fine')
    expect(server.requests).toHaveLength(3)
  })

  it('gives the caller the last failed answer, unread, when the attempts are used up', async () => {
    const server = await fetchServer((response, count) => response.writeHead(500, { 'x-n': String(count) }).end(`broken ${count}`))
    const response = await resilientFetch(quickRetry())(server.url)
    expect([response.status, response.headers.get('x-n'), response.bodyUsed]).toEqual([500, '3', false])
    expect(await response.text()).toBe('broken 3')
    expect(server.requests).toHaveLength(3)
  })

  it('repeats a POST only when it surely was not worked on', async () => {
    for (const [status, headers, times] of [
      [500, {}, 1],
      [503, {}, 1],
      [503, { 'retry-after': '0' }, 3],
      [429, {}, 3],
      [500, { 'x-should-retry': 'true' }, 3],
      [429, { 'x-should-retry': 'false' }, 1],
    ] as const) {
      const server = await fetchServer((response) => response.writeHead(status, headers).end())
      expect((await resilientFetch(quickRetry())(server.url, { method: 'POST', body: 'x' })).status).toBe(status)
      expect([status, headers, server.requests.length]).toEqual([status, headers, times])
    }
  })

  it('30: repeats a POST with an Idempotency-Key, or where its owner says so', async () => {
    const server = await fetchServer((response) => response.writeHead(500).end())
    await resilientFetch(quickRetry())(server.url, { method: 'POST', body: 'x', headers: { 'Idempotency-Key': 'k' } })
    await resilientFetch(quickRetry(), { isRepeatable: () => true })(server.url, { method: 'POST', body: 'y' })
    expect(server.requests.map(({ body }) => body)).toEqual(['x', 'x', 'x', 'y', 'y', 'y'])
  })

  it('does not repeat a POST whose connection broke, and does one whose connection was never made', async () => {
    const server = await fetchServer((response) => response.destroy())
    await expect(resilientFetch(quickRetry())(server.url, { method: 'POST', body: 'x' })).rejects.toThrow('fetch failed')
    expect(server.requests).toHaveLength(1)
    let asked = 0
    const refused = Object.assign(new TypeError('fetch failed'), { cause: Object.assign(new Error('no'), { code: 'ECONNREFUSED' }) })
    const send = async (): Promise<Response> => {
      if (++asked < 3) throw refused
      return new Response('ok')
    }
    expect((await resilientFetch(quickRetry(), { fetch: send })(server.url, { method: 'POST', body: 'x' })).status).toBe(200)
  })

  it('66: a POST that timed out is not sent again, since it may have been worked on; a GET is', async () => {
    const server = await fetchServer(() => undefined)
    for (const [method, times] of [
      ['POST', 1],
      ['GET', 3],
    ] as const) {
      const before = server.requests.length
      const guarded = resilientFetch(pipeline(quickRetry(), timeout('30ms')))
      await expect(guarded(server.url, { method })).rejects.toSatisfy((error) => isHoldfastError(error, 'ERR_TIMEOUT'))
      await eventually(() => server.left === before + times)
      expect([method, server.requests.length - before]).toEqual([method, times])
    }
  })

  it('66: a POST is not sent beside itself, unless its owner says that it may be; a GET is', async () => {
    const server = await fetchServer((response) => setTimeout(() => response.end('done'), 60))
    const hedged = hedge({ delay: '5ms', budget: false })
    const requestsOf = async (method: string, options = {}): Promise<number> => {
      const before = server.requests.length
      await (await resilientFetch(hedged, options)(server.url, { method })).text()
      return server.requests.length - before
    }
    expect(await requestsOf('POST')).toBe(1)
    expect(await requestsOf('GET')).toBe(2)
    expect(await requestsOf('POST', { isRepeatable: () => true })).toBe(2)
  })

  it('69: when all hedges fail, the caller gets the first answer, unread, whenever the others were sent', async () => {
    for (const options of [{ delay: '5ms' }, { delay: '1m', hedgeOnFailure: true }, { delay: 0 }] as const) {
      const server = await fetchServer((response, count) => setTimeout(() => response.writeHead(500).end(`broken ${count}`), 20 * count))
      const response = await resilientFetch(hedge({ ...options, maxHedges: 2, budget: false }))(server.url)
      expect([response.status, response.bodyUsed, server.requests.length]).toEqual([500, false, 3])
      expect(await response.text()).toBe('broken 1')
    }
  })

  it('sends a Request again as a copy, and leaves it used', async () => {
    const server = await fetchServer((response, count) => (count < 3 ? response.writeHead(503).end() : response.end('ok')))
    const request = new Request(server.url, { method: 'PUT', body: 'whole', headers: { 'x-q': '1' } })
    expect((await resilientFetch(quickRetry())(request)).status).toBe(200)
    expect(server.requests.map(({ method, body, headers }) => [method, body, headers['x-q']])).toEqual(
      [1, 2, 3].map(() => ['PUT', 'whole', '1']),
    )
    expect(request.bodyUsed).toBe(true)
  })

  it('30: sends a stream once, or as often as needed when it may be kept', async () => {
    const server = await fetchServer((response) => response.writeHead(503).end())
    const stream = (): ReadableStream => new Response('streamed').body as ReadableStream
    const init = (): RequestInit => ({ method: 'PUT', body: stream(), duplex: 'half' })
    expect((await resilientFetch(quickRetry())(server.url, init())).status).toBe(503)
    expect(server.requests).toHaveLength(1)
    expect((await resilientFetch(quickRetry(), { keepStreams: 100 })(server.url, init())).status).toBe(503)
    expect(server.requests.map(({ body }) => body)).toEqual(Array(4).fill('streamed'))
    await expect(resilientFetch(quickRetry(), { keepStreams: 3 })(server.url, init())).rejects.toThrow('longer than the 3 bytes')
  })

  it('62: does not repeat what a used-up quota refuses', async () => {
    const body = JSON.stringify({ error: { code: 'insufficient_quota', message: 'You exceeded your current quota' } })
    const server = await fetchServer((response) => response.writeHead(429, { 'content-type': 'application/json' }).end(body))
    const response = await resilientFetch(quickRetry())(server.url)
    expect(server.requests).toHaveLength(1)
    expect(await response.json()).toMatchObject({ error: { code: 'insufficient_quota' } })
  })

  it('passes refusals, fallbacks and errors on as they are', async () => {
    const server = await fetchServer((response) => response.writeHead(500).end())
    const breaker = circuitBreaker({ failureThreshold: 1 })
    const guarded = resilientFetch(breaker)
    expect((await guarded(server.url)).status).toBe(500)
    await expect(guarded(server.url)).rejects.toSatisfy((error) => isHoldfastError(error, 'ERR_CIRCUIT_OPEN'))
    const kept = resilientFetch(pipeline(fallback({ handler: () => new Response('kept') }), breaker))
    expect(await (await kept(server.url)).text()).toBe('kept')
    await expect(guarded('not an address')).rejects.toBeInstanceOf(TypeError)
  })

  it('hands on key, cost, priority and deadline of one request, and tells the server how long the caller waits', async () => {
    const server = await fetchServer(text('ok'))
    const seen: unknown[] = []
    const policy = {
      execute: (run: Parameters<Policy['execute']>[0], options: Parameters<Policy['execute']>[1]) => {
        seen.push([options?.key, options?.cost, options?.priority, options?.idempotencyKey])
        return bulkhead({ maxConcurrent: 1 }).execute(run, options)
      },
    } as Policy
    const options = { keyOf: 'host', costOf: () => ({ tokens: 5 }), deadlineHeader: 'x-holdfast-timeout-ms' } as const
    const guarded = resilientFetch(policy, options)
    await guarded(server.url, { holdfast: { priority: 'high', deadline: '10s' }, headers: { 'idempotency-key': 'i' } })
    await guarded(server.url, { holdfast: { key: 'mine', cost: 3 } })
    expect(seen).toEqual([
      [new URL(server.url).host, { tokens: 5 }, 'high', 'i'],
      ['mine', 3, undefined, undefined],
    ])
    const told = Number(server.requests[0]?.headers['x-holdfast-timeout-ms'])
    expect(told > 0 && told <= 10_000).toBe(true)
    expect(server.requests[1]?.headers).not.toHaveProperty('x-holdfast-timeout-ms')
  })

  it.each([
    [{ keyOf: 7 }, "option 'keyOf' must be a function"],
    [{ limiter: {} }, "option 'limiter' must be a rateLimiter()"],
    [{ keepStreams: -1 }, "option 'keepStreams' must be a whole number"],
    [{ deadlineHeader: 'a b' }, "option 'deadlineHeader' must be the name of a header"],
    [{ retries: 3 }, "there is no option 'retries'"],
  ])('refuses %o', (options, message) => {
    expect(() => resilientFetch(quickRetry(), options as never)).toThrow(message)
  })
})

describe('cancelling', () => {
  it('a hang ends at the timeout, and the server hears of it', async () => {
    const server = await fetchServer(() => undefined)
    await expect(resilientFetch(timeout('30ms'))(server.url)).rejects.toSatisfy((error) => isHoldfastError(error, 'ERR_TIMEOUT'))
    await eventually(() => server.left === 1)
    expect(server.left).toBe(1)
  })

  it("the caller's abort ends the request with the caller's reason, before and after the answer", async () => {
    const server = await fetchServer((response, count) =>
      count === 1 ? undefined : response.writeHead(count === 2 ? 200 : 500).write('part'),
    )
    const early = new AbortController()
    const answer = resilientFetch(quickRetry())(server.url, { signal: early.signal })
    await eventually(() => server.requests.length === 1)
    early.abort(new Error('enough'))
    await expect(answer).rejects.toThrow('enough')
    for (const maxAttempts of [1, 1]) {
      const late = new AbortController()
      const response = await resilientFetch(quickRetry({ maxAttempts }))(new Request(server.url, { signal: late.signal }))
      late.abort(new Error('no more'))
      await expect(response.text()).rejects.toThrow()
    }
    await eventually(() => server.left === 3)
    expect(server.left).toBe(3)
  })

  it('13: 10,000 calls on one signal leave no listener behind', async () => {
    const controller = new AbortController()
    const listeners = countListeners(controller.signal)
    const send = async (): Promise<Response> => new Response('body')
    const guarded = resilientFetch(pipeline(quickRetry(), timeout('10s'), bulkhead({ maxConcurrent: 10 })), { fetch: send })
    for (let call = 0; call < 10_000; call++) await (await guarded('http://local/', { signal: controller.signal })).text()
    await eventually(() => listeners.added === listeners.removed)
    expect(listeners.added).toBeGreaterThan(0)
    expect(listeners.removed).toBe(listeners.added)
  })
})

describe('bodies', () => {
  it('11: a streamed body keeps its place until its end, and frees it when its reader has enough', async () => {
    const server = await fetchServer((response) => response.write('first'))
    const place = bulkhead({ maxConcurrent: 1 })
    const guarded = resilientFetch(place)
    const response = await guarded(server.url)
    expect(place.status().running).toBe(1)
    await expect(guarded(server.url)).rejects.toSatisfy((error) => isHoldfastError(error, 'ERR_BULKHEAD_FULL'))
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('first')
    await reader.cancel()
    await eventually(() => place.status().running === 0 && server.left === 1)
    expect([place.status().running, server.left]).toEqual([0, 1])
  })

  it('11: a body that breaks off is a failure', async () => {
    const server = await fetchServer((response) =>
      response.writeHead(200, { 'content-length': '100' }).write('part', () => response.destroy()),
    )
    const breaker = circuitBreaker({ failureThreshold: 1 })
    const response = await resilientFetch(breaker)(server.url)
    await expect(response.text()).rejects.toThrow()
    await eventually(() => breaker.status().state === 'open')
    expect(breaker.status()).toMatchObject({ state: 'open' })
  })

  it('answers that were repeated are discarded by the next attempt, and hold no connection', async () => {
    let leftBefore = 0
    const server = await fetchServer((response, count) => {
      if (count < 3) return response.writeHead(503).write('endless')
      return eventually(() => server.left === 2).then(() => {
        leftBefore = server.left
        response.end('ok')
      })
    })
    expect(await (await resilientFetch(quickRetry())(server.url)).text()).toBe('ok')
    expect(leftBefore).toBe(2)
  })

  it('can be read as bytes into a buffer of the reader', async () => {
    const server = await fetchServer(text('bytes'))
    const response = await resilientFetch(quickRetry())(server.url)
    const reader = (response.body as ReadableStream<Uint8Array>).getReader({ mode: 'byob' })
    const first = await reader.read(new Uint8Array(3))
    expect(new TextDecoder().decode(first.value)).toBe('byt')
    expect(new TextDecoder().decode((await reader.read(new Uint8Array(8))).value)).toBe('es')
    expect((await reader.read(new Uint8Array(8))).done).toBe(true)
  })

  it('none leaves at once', async () => {
    const server = await fetchServer((response) => response.writeHead(204).end())
    const place = bulkhead({ maxConcurrent: 1 })
    const guarded = resilientFetch(place)
    expect((await guarded(server.url)).status).toBe(204)
    expect((await guarded(server.url)).body).toBe(null)
  })
})
