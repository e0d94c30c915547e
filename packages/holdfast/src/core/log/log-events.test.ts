import { describe, expect, it } from 'vitest'
import { bulkhead } from '../../patterns/bulkhead/index.ts'
import { circuitBreaker } from '../../patterns/circuit-breaker/index.ts'
import { rateLimiter } from '../../patterns/rate-limiter/index.ts'
import { retry } from '../../patterns/retry/index.ts'
import type { PolicyEvent } from '../events.ts'
import { fakeClock } from '../fake-clock.ts'
import { eventLines } from './event-lines.ts'
import { logEvents } from './log-events.ts'
import { logSink, type LogSinkOptions } from './log-sink.ts'

type Line = Readonly<Record<string, unknown>>

function listening(options: LogSinkOptions = {}): {
  listener: (event: PolicyEvent & Readonly<Record<string, unknown>>) => unknown
  lines: () => Line[]
  texts: string[]
} {
  const texts: string[] = []
  const listener = logEvents(logSink({ level: 'debug', clock: fakeClock(), write: (line) => texts.push(line), ...options }))
  return { listener, texts, lines: () => texts.map((text) => JSON.parse(text) as Line) }
}

describe('messages that people search for', () => {
  it.each([
    [{ type: 'circuit.opened' }, 40, 'Circuit OPEN for service orders'],
    [{ type: 'circuit.half-opened' }, 30, 'Circuit HALF_OPEN for service orders'],
    [{ type: 'circuit.closed' }, 30, 'Circuit CLOSED for service orders'],
    [{ type: 'circuit.isolated' }, 40, 'Circuit ISOLATED for service orders'],
    [{ type: 'circuit.disabled' }, 40, 'Circuit DISABLED for service orders'],
    [{ type: 'retry.scheduled', attempt: 2, delayMs: 99.6 }, 30, 'Retry attempt 2 for service orders in 100 ms'],
    [{ type: 'retry.exhausted', attempts: 3 }, 40, 'Retries exhausted for service orders after 3 attempts'],
    [{ type: 'retry.budget-exhausted', budget: 'all' }, 40, 'Retry budget all exhausted for service orders'],
    [{ type: 'timeout.fired', afterMs: 2_000 }, 40, 'Timeout after 2000 ms for service orders'],
    [{ type: 'timeout.late' }, 30, 'Abandoned work ended late for service orders'],
    [{ type: 'bulkhead.rejected', running: 1 }, 40, 'Bulkhead rejected a call for service orders'],
    [{ type: 'bulkhead.queued' }, 20, 'Bulkhead queued a call for service orders'],
    [{ type: 'bulkhead.resized', from: 1, to: 2 }, 30, 'Bulkhead resized from 1 to 2 for service orders'],
    [{ type: 'limiter.rejected' }, 40, 'Rate limit rejected a call for service orders'],
    [{ type: 'limiter.paused', forMs: 500 }, 40, 'Rate limit PAUSED for service orders for 500 ms'],
    [{ type: 'limiter.resumed' }, 30, 'Rate limit RESUMED for service orders'],
    [{ type: 'fallback.used' }, 40, 'Fallback used for service orders'],
    [{ type: 'fallback.failed' }, 50, 'Fallback failed for service orders'],
    [{ type: 'retry.callback-failed', callback: 'onRetry' }, 50, 'Function onRetry failed in orders'],
    [{ type: 'cell.drained', share: 0.5 }, 30, 'cell.drained for service orders'],
  ])('%j', (event, level, msg) => {
    const { listener, lines } = listening()
    listener({ policy: 'orders', at: 5, ...event })
    expect(lines()).toEqual([expect.objectContaining({ level, time: 5, event: event.type, policy: 'orders', msg })])
  })
})

describe('fields', () => {
  it('are the figures of the event, the rule that opened a circuit, and the error as err', () => {
    const { listener, lines } = listening()
    listener({
      type: 'circuit.opened',
      policy: 'a',
      at: 5,
      reason: { rule: 'failure-threshold' },
      failures: 5,
      calls: null,
      slowCalls: null,
      openForMs: 60_000,
      nextAttemptAt: 9,
    })
    listener({ type: 'fallback.used', policy: 'a', at: 5, error: new RangeError('no') })
    expect(lines()[0]).toMatchObject({ reason: 'failure-threshold', failures: 5, calls: null, openForMs: 60_000 })
    expect(lines()[1]?.['err']).toEqual({ type: 'RangeError', message: 'no' })
  })

  it('42: never are keys, results, or texts of events that nobody knows', () => {
    const { listener, texts } = listening()
    for (const type of [...Object.keys(eventLines), 'my.own', 'my.callback-failed']) {
      listener({
        type,
        policy: 'a',
        at: 5,
        key: 'canary',
        result: 'canary',
        prompt: 'canary',
        args: ['canary'],
        error: Object.assign(new Error('x'), { headers: 'canary' }),
      })
    }
    expect(texts).toHaveLength(Object.keys(eventLines).length + 2)
    expect(texts.join('')).not.toContain('canary')
  })

  it('of events of your own are those you name', () => {
    const texts: string[] = []
    const sink = logSink({ write: (line) => texts.push(line) })
    logEvents(sink, { 'cell.drained': { level: 'warn', message: 'Cell {policy} drained to {target}', fields: ['target'] } })({
      type: 'cell.drained',
      policy: 'c1',
      at: 1,
      target: 'c2',
    } as never)
    expect(JSON.parse(texts[0] as string)).toMatchObject({ level: 40, target: 'c2', msg: 'Cell c1 drained to c2' })
  })
})

describe('with real policies', () => {
  it('writes one line for each change of a circuit', async () => {
    const clock = fakeClock()
    const { listener, lines } = listening({ maxRepeats: 1, clock })
    const breaker = circuitBreaker({ name: 'payments', failureThreshold: 1, openFor: '60s', successThreshold: 1, clock })
    breaker.on(listener as never)
    for (let round = 0; round < 3; round++) {
      await breaker.execute(() => Promise.reject(new Error('down'))).catch(() => undefined)
      await clock.advance('60s')
      await breaker.execute(() => 'ok')
    }
    await clock.settle()
    const round = ['Circuit OPEN for service payments', 'Circuit HALF_OPEN for service payments', 'Circuit CLOSED for service payments']
    expect(lines().map(({ msg }) => msg)).toEqual([...round, ...round, ...round])
  })

  it('numbers the attempts of a retry, and limits a storm of them', async () => {
    const clock = fakeClock()
    const { listener, lines } = listening({ maxRepeats: 3, clock })
    const again = retry({ name: 'orders', maxAttempts: 3, initialDelay: 1, clock, random: () => 0.5 })
    again.on(listener as never)
    for (let call = 0; call < 20; call++) {
      const answer = again.execute(() => Promise.reject(Object.assign(new Error('reset'), { code: 'ECONNRESET' }))).catch(() => undefined)
      await clock.advance(100)
      await answer
    }
    const attempts = lines().map(({ msg }) => String(msg)).filter((msg) => msg.startsWith('Retry attempt')) // prettier-ignore
    expect(attempts).toHaveLength(3)
    expect(attempts.slice(0, 2)).toEqual([
      expect.stringMatching(/^Retry attempt 2 for service orders/),
      expect.stringMatching(/^Retry attempt 3 for service orders/),
    ])
  })

  it('42: a tenant whose API key is the key of a limit is not named', async () => {
    const { listener, texts } = listening()
    const limiter = rateLimiter({ name: 'tenants', limit: 1, window: '60s', clock: fakeClock() })
    limiter.on(listener as never)
    for (let call = 0; call < 2; call++) await limiter.tryExecute(() => 1, { key: 'sk-canary-tenant' })
    limiter.pause('1s', 'sk-canary-tenant')
    await new Promise(setImmediate)
    expect(texts).toHaveLength(2)
    expect(texts.join('')).not.toContain('canary')
  })

  it('43: a sink that throws does not touch the protected call', async () => {
    const places = bulkhead({ name: 'orders', maxConcurrent: 1 })
    const sink = logSink({
      write: () => {
        throw new Error('disk full')
      },
    })
    places.on(logEvents(sink))
    let finish: ((value: string) => void) | undefined
    const first = places.execute(() => new Promise<string>((resolve) => (finish = resolve)))
    await expect(places.execute(() => 'second')).rejects.toMatchObject({ code: 'ERR_BULKHEAD_FULL' })
    finish?.('first')
    expect(await first).toBe('first')
    await new Promise(setImmediate)
    expect(sink.status()).toMatchObject({ failed: 1, written: 0 })
  })
})
