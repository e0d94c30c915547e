import { circuitBreaker, isHoldfastError, pipeline, type CircuitBreaker } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { begin, fail, permitOf } from './circuit-breaker.fixture.ts'

const options = { failureThreshold: 1, openFor: '10s' } as const
const down = new Error('down')
const failing = (): Promise<number> => Promise.reject(down)

describe('the fallback of a breaker', () => {
  it('answers while the circuit is open or isolated, and not before', async () => {
    const breaker = circuitBreaker({ ...options, fallback: 'cached', clock: fakeClock() })
    await expect(breaker.execute(failing)).rejects.toBe(down)
    expect(await breaker.execute(failing)).toBe('cached')
    expect(await breaker.tryExecute(failing)).toEqual({ ok: true, value: 'cached' })
    breaker.isolate()
    expect(await breaker.execute(failing)).toBe('cached')
    expect(await breaker.wrap(failing)()).toBe('cached')
    expect(breaker.status()).toMatchObject({ refusedTotal: 4, failureTotal: 1 })
    breaker.close()
    expect(await breaker.execute(() => 7)).toBe(7)
  })

  it('answers the calls beyond the probes, too', async () => {
    const clock = fakeClock()
    const breaker = circuitBreaker({ ...options, successThreshold: 1, fallback: 'cached', clock })
    await fail(breaker)
    clock.tick('10s')
    const probe = begin(breaker)
    expect(await breaker.execute(failing)).toBe('cached')
    expect(await probe.succeed('fresh')).toEqual({ ok: true, value: 'fresh' })
  })

  it('can be a function of the error, synchronous or not, and its own failure reaches the caller', async () => {
    const clock = fakeClock()
    const asked: unknown[] = []
    const breaker = circuitBreaker({ ...options, clock, fallback: (error) => (asked.push(error), 'made') })
    await fail(breaker)
    expect(await breaker.execute(failing)).toBe('made')
    expect(asked.every((error) => isHoldfastError(error, 'ERR_CIRCUIT_OPEN'))).toBe(true)

    const later = circuitBreaker({ ...options, clock, fallback: async () => 'later' })
    await fail(later)
    expect(await later.execute(failing)).toBe('later')

    const broken = circuitBreaker({
      ...options,
      clock,
      fallback: () => {
        throw new Error('no cache')
      },
    })
    await fail(broken)
    await expect(broken.execute(failing)).rejects.toThrow('no cache')
  })

  it('can be null, false or an empty text', async () => {
    for (const fallback of [null, false, '', 0]) {
      const breaker = circuitBreaker({ ...options, fallback, clock: fakeClock() })
      await fail(breaker)
      expect(await breaker.execute(failing)).toBe(fallback)
    }
  })

  it("answers for its own breaker only, not for another one's refusal", async () => {
    const clock = fakeClock()
    const inner = circuitBreaker({ name: 'inner', clock })
    const outer = circuitBreaker({ name: 'outer', fallback: 'cached', clock })
    inner.isolate()
    expect(await pipeline(outer, inner).tryExecute(failing)).toMatchObject({ ok: false, refusal: { policy: 'inner' } })
    outer.isolate()
    expect(await pipeline(outer, inner).execute(failing)).toBe('cached')
  })

  it('does not answer a caller who has left, nor permits taken by hand', async () => {
    const breaker = circuitBreaker({ ...options, fallback: 'cached', clock: fakeClock() })
    breaker.isolate()
    expect(breaker.tryAcquire()).toMatchObject({ code: 'ERR_CIRCUIT_ISOLATED' })
    await expect(breaker.acquire()).rejects.toMatchObject({ code: 'ERR_CIRCUIT_ISOLATED' })
    expect(await breaker.tryExecute(failing, { signal: AbortSignal.abort('left') })).toEqual({ ok: false, error: 'left' })
    breaker.close()
    permitOf(breaker).success()
    expect(breaker.status().successTotal).toBe(1)
  })
})

it('types say what a call may answer', async () => {
  const plain = circuitBreaker()
  const withValue = circuitBreaker({ fallback: 'cached' })
  const withFunction = circuitBreaker({ fallback: () => ({ cached: true }) })
  const withPromise = circuitBreaker({ fallback: async () => 'later' })
  const withNull = circuitBreaker({ fallback: null })
  expectTypeOf(plain).toEqualTypeOf<CircuitBreaker>()
  expectTypeOf(plain.execute(() => 1)).toEqualTypeOf<Promise<number>>()
  expectTypeOf(withValue.execute(() => 1)).toEqualTypeOf<Promise<number | string>>()
  expectTypeOf(withFunction.execute(async () => 1)).toEqualTypeOf<Promise<number | { cached: boolean }>>()
  expectTypeOf(withPromise.execute(async () => 1)).toEqualTypeOf<Promise<number | string>>()
  expectTypeOf(withNull.execute(async () => 1)).toEqualTypeOf<Promise<number | null>>()
  expectTypeOf(withValue.wrap((amount: number) => amount)).toEqualTypeOf<(this: unknown, amount: number) => Promise<number | string>>()
  expectTypeOf(pipeline(withValue, plain).execute(() => 1)).toEqualTypeOf<Promise<number | string>>()
  expectTypeOf(pipeline(plain).execute(() => 1)).toEqualTypeOf<Promise<number>>()
  // @ts-expect-error a wrong unit does not compile
  expect(() => circuitBreaker({ openFor: '30 seconds' })).toThrow('openFor')
  // @ts-expect-error nor does a name that is no option
  expect(() => circuitBreaker({ timeout: '30s' })).toThrow('timeout')
})
