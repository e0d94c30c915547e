import { get, request as send } from 'node:http'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { HoldfastError } from '../../core/errors.ts'
import { bulkhead } from '../../patterns/bulkhead/index.ts'
import { idempotencyManager } from '../../patterns/idempotency/index.ts'
import { rateLimiter } from '../../patterns/rate-limiter/index.ts'
import type { RequestDeadline } from './deadline.ts'
import { frameworks, type Answer, type AppOptions, type RunningApp } from './framework-app.fixture.ts'

const running: RunningApp[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((app) => app.close()))
})

describe.each(frameworks)('%s', (_name, startApp) => {
  const start = async (options: AppOptions): Promise<string> => {
    const app = await startApp(options)
    running.push(app)
    return app.url
  }
  const post = (
    url: string,
    key: string | undefined,
    body: unknown = { amount: 1 },
    more: Record<string, string> = {},
  ): Promise<Response> =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(key === undefined ? {} : { 'idempotency-key': key }), ...more },
      body: JSON.stringify(body),
    })

  describe('rateLimit', () => {
    it('tells the quota on every answer, and refuses beyond it with 429, Retry-After and the problem', async () => {
      const limiter = rateLimiter({ limits: { requests: { limit: 2, window: '60s' } } })
      const url = await start({
        rateLimit: { limiter, keyOf: ({ header }) => header('x-account'), names: { requests: 'per minute' } },
        handler: () => ({ json: { ok: true } }),
      })
      const first = await fetch(url, { headers: { 'x-account': 'a' } })
      expect([first.status, await first.json()]).toEqual([200, { ok: true }])
      expect(first.headers.get('ratelimit-policy')).toBe('"per minute";q=2;w=60')
      expect(first.headers.get('ratelimit')).toMatch(/^"per minute";r=1;t=(29|30)$/)
      await fetch(url, { headers: { 'x-account': 'a' } })
      const third = await fetch(url, { headers: { 'x-account': 'a' } })
      expect(third.status).toBe(429)
      expect(Number(third.headers.get('retry-after'))).toBeGreaterThanOrEqual(29)
      expect(third.headers.get('ratelimit')).toMatch(/^"per minute";r=0;t=\d+$/)
      expect(third.headers.get('content-type')).toMatch(/^application\/problem\+json/)
      expect(await third.json()).toMatchObject({
        type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
        status: 429,
        code: 'ERR_RATE_LIMITED',
        'violated-policies': ['per minute'],
      })
      expect((await fetch(url, { headers: { 'x-account': 'b' } })).status).toBe(200)
    })
  })

  describe('shedLoad', () => {
    it('refuses with 503 and the problem while there is no place, and gives places back', async () => {
      const gate = bulkhead({ maxConcurrent: 1 })
      let end: (answer: Answer) => void = () => undefined
      const url = await start({ shedLoad: { gate }, handler: () => new Promise<Answer>((resolve) => (end = resolve)) })
      const first = fetch(url)
      await vi.waitFor(() => expect(gate.status().running).toBe(1))
      const second = await fetch(url)
      expect([second.status, await second.json()]).toMatchObject([503, { code: 'ERR_BULKHEAD_FULL' }])
      end({ json: 1 })
      expect((await first).status).toBe(200)
      await vi.waitFor(() => expect(gate.status().running).toBe(0))
      const third = fetch(url)
      await vi.waitFor(() => expect(gate.status().running).toBe(1))
      end({ status: 500, json: 1 })
      expect((await third).status).toBe(500)
      await vi.waitFor(() => expect(gate.status()).toMatchObject({ running: 0 }))
    })

    it('gives the place back when the client leaves', async () => {
      const gate = bulkhead({ maxConcurrent: 1 })
      let end: (answer: Answer) => void = () => undefined
      const url = await start({ shedLoad: { gate }, handler: () => new Promise<Answer>((resolve) => (end = resolve)) })
      const request = get(url)
      request.on('error', () => undefined)
      await vi.waitFor(() => expect(gate.status().running).toBe(1))
      request.destroy()
      setTimeout(() => end({ json: 1 }), 20)
      await vi.waitFor(() => expect(gate.status().running).toBe(0))
    })
  })

  describe('deadline', () => {
    const seen = async (headers: Record<string, string>, options = {}): Promise<number | undefined> => {
      let left: number | undefined
      const url = await start({
        deadline: options,
        handler: (_body, deadline) => {
          left = deadline?.remainingMs()
          return { json: 1 }
        },
      })
      expect((await fetch(url, { headers })).status).toBe(200)
      return left
    }

    it.each([
      [{ 'x-request-timeout-ms': '20000' }, 20_000],
      [{ 'x-holdfast-timeout-ms': '30000' }, 30_000],
      [{ 'grpc-timeout': '40S' }, 40_000],
      [{ 'grpc-timeout': '1M', 'x-request-timeout-ms': '50000' }, 50_000],
    ] as const)('reads %j', async (headers, ms) => {
      const left = (await seen(headers)) as number
      expect(left).toBeLessThanOrEqual(ms)
      expect(left).toBeGreaterThan(ms - 5_000)
    })

    it('has a default and a maximum, and no limit without either', async () => {
      expect(await seen({})).toBe(Infinity)
      expect(await seen({}, { default: '20s' })).toBeLessThanOrEqual(20_000)
      expect(await seen({ 'x-request-timeout-ms': '90000' }, { default: '20s', max: '60s' })).toBeLessThanOrEqual(60_000)
    })

    it('answers what makes no sense with 400, and a request whose time is up with 504', async () => {
      const url = await start({ deadline: {}, handler: () => ({ json: 1 }) })
      const wrong = await fetch(url, { headers: { 'x-request-timeout-ms': 'soon' } })
      expect([wrong.status, await wrong.text()]).toMatchObject([400, expect.stringContaining('x-request-timeout-ms')])
      expect((await fetch(url, { headers: { 'x-request-timeout-ms': '0' } })).status).toBe(504)
    })

    it('aborts the signal when the time is up: a handler that listens answers 504', async () => {
      const url = await start({
        deadline: {},
        handler: (_body, deadline) =>
          new Promise<Answer>((_resolve, reject) => {
            deadline?.signal.addEventListener('abort', () => reject(deadline.signal.reason as Error))
          }),
      })
      const late = await fetch(url, { headers: { 'x-request-timeout-ms': '30' } })
      expect([late.status, await late.json()]).toMatchObject([504, { code: 'ERR_DEADLINE_EXCEEDED' }])
    })

    it('aborts the signal when the client leaves', async () => {
      let given: RequestDeadline | undefined
      const url = await start({
        deadline: {},
        handler: (_body, deadline) => {
          given = deadline
          return new Promise<Answer>((resolve) => deadline?.signal.addEventListener('abort', () => resolve({ json: 1 })))
        },
      })
      const request = get(url)
      request.on('error', () => undefined)
      await vi.waitFor(() => expect(given).toBeDefined())
      request.destroy()
      await vi.waitFor(() => expect(given?.signal.aborted).toBe(true))
    })
  })

  describe('idempotencyKey', () => {
    it('carries a request out once, and gives the same answer again: status, headers and body', async () => {
      let runs = 0
      const url = await start({
        idempotencyKey: {},
        handler: (body) => ({
          status: 201,
          headers: { location: `/orders/${++runs}`, 'set-cookie': 'session=secret' },
          json: { body, runs },
        }),
      })
      const first = await post(url, '"order-1"')
      const second = await post(url, '"order-1"')
      for (const answer of [first, second])
        expect([answer.status, answer.headers.get('location'), await answer.json()]).toEqual([
          201,
          '/orders/1',
          { body: { amount: 1 }, runs: 1 },
        ])
      expect(second.headers.get('content-type')).toBe(first.headers.get('content-type'))
      expect([first.headers.get('idempotent-replayed'), second.headers.get('idempotent-replayed')]).toEqual([null, 'true'])
      expect([first.headers.get('set-cookie'), second.headers.get('set-cookie')]).toEqual(['session=secret', null])
      expect([(await post(url, 'order-1')).status, runs]).toEqual([201, 1]) // the bare text is the same key
      expect([(await post(url, '"order-2"')).status, runs]).toEqual([201, 2])
    })

    it('400 without a key or with a bad one, 422 for another request, and nothing runs', async () => {
      let runs = 0
      const url = await start({ idempotencyKey: {}, handler: () => ({ json: ++runs }) })
      const missing = await post(url, undefined)
      expect([missing.status, await missing.json()]).toMatchObject([400, { code: 'ERR_IDEMPOTENCY_KEY_MISSING' }])
      for (const bad of ['""', '"open', 'x'.repeat(256), ' ']) expect((await post(url, bad)).status).toBe(400)
      expect(runs).toBe(0)
      await post(url, '"k"')
      const other = await post(url, '"k"', { amount: 2 })
      expect([other.status, await other.json()]).toMatchObject([422, { code: 'ERR_IDEMPOTENCY_MISMATCH' }])
      expect(
        (
          await fetch(`${url}&x=1`, {
            method: 'POST',
            headers: { 'content-type': 'application/json', 'idempotency-key': '"k"' },
            body: '{"amount":1}',
          })
        ).status,
      ).toBe(422)
      expect(runs).toBe(1)
    })

    it('409 with Retry-After while it is carried out; with join the same answer', async () => {
      for (const inFlight of ['reject', 'join'] as const) {
        let runs = 0
        let end: (answer: Answer) => void = () => undefined
        const manager = idempotencyManager({ inFlight })
        const url = await start({ idempotencyKey: { manager }, handler: () => (runs++, new Promise<Answer>((resolve) => (end = resolve))) })
        const first = post(url, '"k"')
        await vi.waitFor(() => expect(runs).toBe(1))
        const second = post(url, '"k"')
        if (inFlight === 'reject') {
          const conflict = await second
          expect([conflict.status, conflict.headers.get('retry-after')]).toEqual([409, '30'])
        } else await vi.waitFor(() => expect(manager.status().joined).toBe(1))
        end({ json: { state: 'done' } })
        expect(await (await first).json()).toEqual({ state: 'done' })
        if (inFlight === 'join') expect(await (await second).json()).toEqual({ state: 'done' })
        expect(runs).toBe(1)
      }
    })

    it('other methods pass, and so do requests without a key where none is required', async () => {
      let runs = 0
      const url = await start({ idempotencyKey: { required: false }, handler: () => ({ json: ++runs }) })
      for (let turn = 0; turn < 2; turn++) await fetch(url, { headers: { 'idempotency-key': '"k"' } })
      for (let turn = 0; turn < 2; turn++) await post(url, undefined)
      expect(runs).toBe(4)
    })

    it('107: tenants have keys of their own', async () => {
      let runs = 0
      const tenantOf = ({ header }: { header: (name: string) => string | undefined }): string => header('x-account') ?? ''
      const url = await start({ idempotencyKey: { tenantOf }, handler: () => ({ json: ++runs }) })
      const ask = async (account: string): Promise<unknown> => (await post(url, '"k"', {}, { 'x-account': account })).json()
      expect([await ask('a'), await ask('b'), await ask('a'), await ask('b')]).toEqual([1, 2, 1, 2])
    })

    it('102: a failed answer is kept, 503 and 429 are not, and isKept decides otherwise', async () => {
      let runs = 0
      const statuses = [500, 500, 503, 200]
      const handler = (): Answer => ({ status: statuses[runs++] as number, json: runs })
      const url = await start({ idempotencyKey: {}, handler })
      expect([(await post(url, '"a"')).status, (await post(url, '"a"')).status, runs]).toEqual([500, 500, 1])
      runs = 2
      expect([(await post(url, '"b"')).status, (await post(url, '"b"')).status, runs]).toEqual([503, 200, 4])
      runs = 1
      statuses.splice(0, 4, 0, 500, 200)
      const other = await start({ idempotencyKey: { isKept: (status) => status < 500 }, handler })
      expect([(await post(other, '"c"')).status, (await post(other, '"c"')).status]).toEqual([500, 200])
    })

    it('a handler that throws has one answer, too', async () => {
      let runs = 0
      const url = await start({
        idempotencyKey: {},
        handler: () => {
          runs++
          throw new Error('broken')
        },
      })
      expect([(await post(url, '"k"')).status, (await post(url, '"k"')).status, runs]).toEqual([500, 500, 1])
    })

    it('a stream is kept up to the bound; beyond it, it passes through, and a replay is 409', async () => {
      let runs = 0
      async function* parts(count: number): AsyncGenerator<string> {
        for (let part = 0; part < count; part++) {
          await Promise.resolve()
          yield `part ${part};`
        }
      }
      const handler = (body: unknown): Answer => (
        runs++,
        { headers: { 'content-type': 'text/plain' }, stream: parts((body as { parts: number }).parts) }
      )
      const url = await start({ idempotencyKey: { maxResponseBytes: 100 }, handler })
      const small = [await post(url, '"small"', { parts: 3 }), await post(url, '"small"', { parts: 3 })]
      for (const answer of small) expect(await answer.text()).toBe('part 0;part 1;part 2;')
      const large = await post(url, '"large"', { parts: 500 })
      expect((await large.text()).split(';')).toHaveLength(501)
      const again = await post(url, '"large"', { parts: 500 })
      expect([again.status, await again.json(), runs]).toMatchObject([409, { code: 'ERR_IDEMPOTENCY_UNSTORABLE' }, 2])
    })

    it('events are not held back', async () => {
      let go: () => void = () => undefined
      const gate = new Promise<void>((resolve) => (go = resolve))
      async function* events(): AsyncGenerator<string> {
        yield 'data: 1\n\n'
        await gate
        yield 'data: 2\n\n'
      }
      const url = await start({
        idempotencyKey: {},
        handler: () => ({ headers: { 'content-type': 'text/event-stream' }, stream: events() }),
      })
      const answer = await post(url, '"k"')
      const reader = (answer.body as ReadableStream<Uint8Array>).getReader()
      expect(new TextDecoder().decode((await reader.read()).value)).toBe('data: 1\n\n')
      go()
      expect(new TextDecoder().decode((await reader.read()).value)).toBe('data: 2\n\n')
    })

    it('a client that leaves does not undo what was begun: the next one has the answer', async () => {
      let runs = 0
      let end: (answer: Answer) => void = () => undefined
      const manager = idempotencyManager()
      const url = await start({ idempotencyKey: { manager }, handler: () => (runs++, new Promise<Answer>((resolve) => (end = resolve))) })
      const leaving = new AbortController()
      const first = fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': '"k"' },
        body: '{"amount":1}',
        signal: leaving.signal,
      }).catch(() => undefined)
      await vi.waitFor(() => expect(runs).toBe(1))
      leaving.abort()
      await first
      end({ json: { state: 'done' } })
      await vi.waitFor(() => expect(manager.status().running).toBe(0))
      const second = await post(url, '"k"')
      expect([await second.json(), second.headers.get('idempotent-replayed'), runs]).toEqual([{ state: 'done' }, 'true', 1])
    })
  })

  describe('idempotencyKey, when the client has left', () => {
    it('104: a handler that never answers has an unknown outcome after a while, and is not run again', async () => {
      let runs = 0
      const manager = idempotencyManager()
      const url = await start({
        idempotencyKey: { manager, answerWithin: '20ms' },
        handler: () => (runs++, new Promise<Answer>(() => undefined)),
      })
      const request = send(url, { method: 'POST', headers: { 'content-type': 'application/json', 'idempotency-key': '"k"' } })
      request.on('error', () => undefined)
      request.end('{"amount":1}')
      await vi.waitFor(() => expect(runs).toBe(1))
      request.destroy()
      await vi.waitFor(() => expect(manager.status().running).toBe(0))
      const second = await post(url, '"k"')
      expect([second.status, await second.json(), runs]).toMatchObject([409, { code: 'ERR_IDEMPOTENCY_OUTCOME_UNKNOWN' }, 1])
    })
  })

  describe('answerErrors', () => {
    it.each([
      ['ERR_CIRCUIT_OPEN', 503, '3'],
      ['ERR_TIMEOUT', 504, '3'],
      ['ERR_RATE_LIMITED', 429, '3'],
      ['ERR_INVALID_OPTION', 500, null],
    ] as const)('answers %s with %i', async (code, status, retryAfter) => {
      const url = await start({
        handler: () => {
          throw new HoldfastError({ code, retryAfterMs: 2_100 })
        },
      })
      const answer = await fetch(url)
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([status, retryAfter])
    })
  })
})
