import { bulkhead, circuitBreaker, retry } from 'holdfast'
import {
  protect,
  protectEach,
  withBulkhead,
  withCircuitBreaker,
  withFallback,
  withRateLimiter,
  withRetry,
  withTimeout,
  type MethodProtection,
} from 'holdfast/decorators'
import { describe, expect, it } from 'vitest'

type Async = (this: unknown, ...args: unknown[]) => Promise<unknown>

/** What the compiler does for `@decorator async name() {}`. */
function decorated(decorator: MethodProtection, method: Async, name: string | symbol = 'find'): Async {
  return decorator(method as never, { kind: 'method', name, static: false, private: false } as never) as Async
}

describe('a protected method', () => {
  it('keeps its this, its arguments, its name and its number of parameters', async () => {
    const breaker = circuitBreaker()
    async function find(this: unknown, query: unknown, limit: unknown): Promise<unknown> {
      return [this, query, limit]
    }
    const guarded = decorated(protect(breaker), find)
    const self = { id: 7 }
    expect(await guarded.call(self, 'x', 5)).toEqual([self, 'x', 5])
    expect([guarded.name, guarded.length]).toEqual(['find', 2])
    expect(breaker.status().successTotal).toBe(1)
  })

  it('runs under several policies, the first outermost', async () => {
    const breaker = circuitBreaker({ failureThreshold: 5 })
    let calls = 0
    const failing = async (): Promise<never> => {
      calls++
      throw Object.assign(new Error('down'), { code: 'ECONNREFUSED' })
    }
    const guarded = decorated(protect(retry({ maxAttempts: 3, initialDelay: 0 }), breaker), failing)
    await expect(guarded()).rejects.toThrow('down')
    expect([calls, breaker.status().failureTotal]).toEqual([3, 3])
  })

  it('shares its policies among all instances, or has them for each', async () => {
    const shared = bulkhead({ maxConcurrent: 1 })
    const forever = (): Promise<never> => new Promise(() => undefined)
    const one = decorated(protect(shared), forever)
    void one.call({})
    await expect(one.call({})).rejects.toMatchObject({ code: 'ERR_BULKHEAD_FULL' })
    const made: object[] = []
    const each = decorated(
      protectEach((instance: object) => {
        made.push(instance)
        return [bulkhead({ maxConcurrent: 1 })]
      }),
      forever,
    )
    const [first, second] = [{}, {}]
    void each.call(first)
    void each.call(second)
    await expect(each.call(first)).rejects.toMatchObject({ code: 'ERR_BULKHEAD_FULL' })
    expect(made).toEqual([first, second])
  })

  it.each<[string, MethodProtection, string]>([
    ['withCircuitBreaker', withCircuitBreaker({ failureThreshold: 1 }), 'ERR_CIRCUIT_OPEN'],
    ['withBulkhead', withBulkhead({ maxConcurrent: 1 }), 'ERR_BULKHEAD_FULL'],
    ['withRateLimiter', withRateLimiter({ limit: 1, window: '1h' }), 'ERR_RATE_LIMITED'],
    ['withTimeout', withTimeout(1), 'ERR_TIMEOUT'],
  ])('by %s is refused under the name of the method', async (_name, decorator, code) => {
    const guarded = decorated(
      decorator,
      () => new Promise((_resolve, reject) => setImmediate(() => setTimeout(reject, 5, new Error('down')))),
      Symbol('find'),
    )
    const first = guarded().catch((error: unknown) => error)
    if (code === 'ERR_CIRCUIT_OPEN') await first
    const second = await guarded().catch((error: unknown) => error)
    expect(second).toMatchObject({ code, policy: 'find' })
    await first
  })

  it('by withRetry and withFallback is answered in the end', async () => {
    let calls = 0
    const flaky = decorated(withRetry({ maxAttempts: 2, initialDelay: 0, retryOn: () => true }), async () => {
      calls++
      if (calls === 1) throw new Error('first')
      return 'second'
    })
    expect(await flaky()).toBe('second')
    const failing = (): Promise<never> => Promise.reject(new Error('down'))
    expect(await decorated(withFallback({ value: 'instead' }), failing)()).toBe('instead')
  })
})

describe('what is no method', () => {
  it.each<[string, unknown[], string]>([
    ['a getter', [() => 1, { kind: 'getter', name: 'size' }], "@protect decorates methods, not a getter ('size')"],
    ['a field', [undefined, { kind: 'field', name: 'run' }], "@protect decorates methods, not a field ('run')"],
    ['a class', [Date, { kind: 'class', name: 'Search' }], "@protect decorates methods, not a class ('Search')"],
    ['a method of the old kind of decorators', [{}, 'find', {}], "@protect is a standard decorator: take 'experimentalDecorators' out"],
    ['a plain function', [() => 1], '@protect must stand before a method as a decorator'],
  ])('is refused: %s', (_what, args, message) => {
    const decorate = protect(circuitBreaker()) as unknown as (...given: unknown[]) => unknown
    expect(() => decorate(...args)).toThrow(message)
  })
})
