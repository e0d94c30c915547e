import { circuitBreaker, type Clock } from 'holdfast'
import { describe, expect, it } from 'vitest'
import { permitOf } from './circuit-breaker.fixture.ts'

/** A clock that must not be looked at. */
const untouchable: Clock = {
  now: () => {
    throw new Error('the clock was read')
  },
  wallNow: () => 0,
  setTimer: () => {
    throw new Error('a timer was set')
  },
}

describe('a successful call through a closed circuit', () => {
  it.each([{}, { failureThreshold: 3 }, { consecutiveFailures: 3 }, { isFailure: [500], ignore: [404] }])(
    'reads no clock and sets no timer: %o',
    async (options) => {
      const breaker = circuitBreaker({ ...options, clock: untouchable })
      expect(await breaker.execute(() => 1)).toBe(1)
      expect(await breaker.execute(async () => 2)).toBe(2)
      expect(await breaker.wrap((value: number) => value)(3)).toBe(3)
      expect(await breaker.tryExecute(() => 4, { key: 'k' })).toEqual({ ok: true, value: 4 })
      permitOf(breaker).success()
    },
  )

  it('asks no function of the user but the one for results', async () => {
    const never = (): never => {
      throw new Error('was asked')
    }
    const breaker = circuitBreaker({ isFailure: never, ignore: never, openFor: () => '10s', fallback: never })
    expect(await breaker.execute(() => 1)).toBe(1)
  })
})
