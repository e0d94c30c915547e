import { runInNewContext } from 'node:vm'
import { setFlagsFromString } from 'node:v8'
import { circuitBreaker } from 'holdfast'
import { fakeClock, seededRandom } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { fail, permitOf, succeed } from './circuit-breaker.fixture.ts'

const error = new Error('down')

describe('the window of the last n calls', () => {
  it('4: the call after the n-th evicts exactly the first', async () => {
    const breaker = circuitBreaker({ failureRatio: 1, windowCalls: 3, clock: fakeClock() })
    await fail(breaker, 1)
    await succeed(breaker, 2)
    expect(breaker.status()).toMatchObject({ calls: 3, failures: 1 })
    await succeed(breaker, 1)
    expect(breaker.status()).toMatchObject({ calls: 3, failures: 0 })
  })

  it('4: the sums equal a recount after 100,000 random calls', () => {
    const clock = fakeClock()
    const random = seededRandom(4)
    const size = 37
    const breaker = circuitBreaker({
      failureRatio: 1,
      slowCallRatio: 1,
      slowCallDuration: 10,
      windowCalls: size,
      minimumCalls: size,
      clock,
    })
    let last: { readonly failed: boolean; readonly slow: boolean }[] = []
    for (let call = 0; call < 100_000; call++) {
      const outcome = { failed: random() < 0.4, slow: random() < 0.3 }
      const permit = permitOf(breaker)
      clock.step(outcome.slow ? 10 : 9)
      if (outcome.failed) permit.failure(error)
      else permit.success()
      last = [...last.slice(-size + 1), outcome]
      const { calls, failures, slowCallRate } = breaker.status()
      const wanted = {
        calls: last.length,
        failures: last.filter(({ failed }) => failed).length,
        slow: last.filter(({ slow }) => slow).length,
      }
      if (calls !== wanted.calls || failures !== wanted.failures || slowCallRate !== wanted.slow / wanted.calls) {
        expect({ call, calls, failures, slowCallRate }).toEqual({ call, ...wanted })
      }
    }
    expect(breaker.state).toBe('closed')
  })

  it('does not look at time', async () => {
    const clock = fakeClock()
    const breaker = circuitBreaker({ failureRatio: 0.5, windowCalls: 4, clock })
    await fail(breaker, 1)
    await succeed(breaker, 1)
    clock.tick('365d')
    expect(breaker.status()).toMatchObject({ calls: 2, failures: 1 })
  })
})

describe('the time window', () => {
  const make = (clock = fakeClock()) => circuitBreaker({ failureRatio: 1, minimumCalls: 1_000_000, failureWindow: '1s', clock })

  it('5: a call is forgotten when it is exactly one window old, not one bucket later', async () => {
    const clock = fakeClock()
    const breaker = make(clock)
    await fail(breaker)
    clock.tick(999)
    expect(breaker.status()).toMatchObject({ calls: 1, failures: 1 })
    clock.tick(1)
    expect(breaker.status()).toMatchObject({ calls: 0, failures: 0 })
  })

  it('5: what lies in the newest nine tenths of the window always counts, and nothing older than the window does', () => {
    const clock = fakeClock()
    const random = seededRandom(5)
    const breaker = make(clock)
    let at: number[] = []
    for (let call = 0; call < 5_000; call++) {
      clock.tick(random() < 0.01 ? random() * 3_000 : random() * 40)
      permitOf(breaker).success()
      const now = clock.now()
      at = [...at.filter((time) => now - time < 1_000), now]
      const calls = breaker.status().calls ?? -1
      expect(calls).toBeLessThanOrEqual(at.length)
      expect(calls).toBeGreaterThanOrEqual(at.filter((time) => now - time < 900).length)
    }
  })

  it('5: an idle gap longer than the window clears everything, at a cost that does not depend on the gap', async () => {
    const clock = fakeClock()
    const breaker = make(clock)
    for (let bucket = 0; bucket < 10; bucket++) {
      await fail(breaker)
      clock.tick(100)
    }
    clock.step(1e15) // 10^13 buckets: a loop over the gap would never end
    expect(breaker.status()).toMatchObject({ calls: 0, failures: 0 })
    await fail(breaker)
    expect(breaker.status()).toMatchObject({ calls: 1, failures: 1 })
  })

  it('5: ten buckets are enough also where their sum, rounded, is a little less than the window', () => {
    for (let windowMs = 1; windowMs < 200; windowMs += 0.1) {
      const clock = fakeClock()
      const breaker = circuitBreaker({ failureRatio: 1, minimumCalls: 1_000, failureWindow: windowMs, clock })
      for (let bucket = 0; bucket < 100; bucket++) {
        permitOf(breaker).failure(error)
        clock.step(windowMs / 10)
      }
      expect(breaker.status().calls, `${windowMs} ms`).toBeOneOf([9, 10])
      expect(breaker.failureRate()).toBe(1)
      clock.step(windowMs)
      expect(breaker.status().calls).toBe(0)
    }
  })

  it('6: reading after idle time shows what has expired as gone, although no call came', async () => {
    const clock = fakeClock()
    const byRatio = circuitBreaker({ failureRatio: 1, failureWindow: '10s', clock })
    const byCount = circuitBreaker({ failureThreshold: 9, failureWindow: '10s', clock })
    for (const breaker of [byRatio, byCount]) await fail(breaker, 3)
    expect([byRatio.status().failures, byCount.status().failures]).toEqual([3, 3])
    clock.tick('10s')
    expect([byRatio.status().failures, byCount.status().failures]).toEqual([0, 0])
    expect(byRatio.failureRate()).toBe(null)
  })

  it('6: calls that have expired do not open the circuit together with newer ones', async () => {
    const clock = fakeClock()
    for (const rule of [{ failureThreshold: 3 }, { failureRatio: 1, minimumCalls: 3 }]) {
      const breaker = circuitBreaker({ ...rule, failureWindow: '10s', clock })
      await fail(breaker, 2)
      clock.tick('10s')
      await fail(breaker, 2)
      expect(breaker.state).toBe('closed')
      await fail(breaker, 1)
      expect(breaker.state).toBe('open')
    }
  })

  it('7: the wall clock, set by an hour in either direction, moves neither the window nor the open time', async () => {
    for (const hours of [-1, 1]) {
      const clock = fakeClock()
      const breaker = circuitBreaker({ failureThreshold: 2, failureWindow: '10s', openFor: '30s', clock })
      await fail(breaker)
      clock.stepWall(hours * 3_600_000)
      expect(breaker.status()).toMatchObject({ failures: 1, timeSinceLastFailureMs: 0, lastFailureAt: clock.wallNow() })
      await fail(breaker)
      clock.stepWall(hours * 3_600_000)
      clock.tick('29s')
      expect(breaker.status()).toMatchObject({ state: 'open', nextAttemptAt: clock.wallNow() + 1_000 })
      clock.tick('1s')
      expect(breaker.state).toBe('half-open')
    }
  })

  it('8: a clock source that steps back by 5 s loses no call and makes no count negative', async () => {
    const clock = fakeClock({ startMs: 100_000 })
    const breakers = [{ failureRatio: 1, minimumCalls: 1_000 }, { failureThreshold: 1_000 }].map((rule) =>
      circuitBreaker({ ...rule, failureWindow: '10s', clock }),
    )
    const failuresOf = (): number[] => breakers.map((breaker) => breaker.status().failures)
    for (const breaker of breakers) await fail(breaker, 3)
    clock.step(-5_000)
    expect(failuresOf()).toEqual([3, 3])
    for (const breaker of breakers) await fail(breaker, 2)
    expect(failuresOf()).toEqual([5, 5])
    expect(breakers[0]?.status()).toMatchObject({ timeSinceLastFailureMs: 0 })
    clock.step(9_999)
    expect(failuresOf()).toEqual([5, 5])
    clock.step(5_001)
    expect(failuresOf()).toEqual([0, 0])
  })

  it('8: a clock that jumps back and forth never makes a count negative', () => {
    const clock = fakeClock({ startMs: 1e9 })
    const random = seededRandom(8)
    const breaker = make(clock)
    for (let call = 0; call < 5_000; call++) {
      clock.step((random() - 0.45) * 3_000)
      if (random() < 0.5) permitOf(breaker).failure(error)
      else permitOf(breaker).success()
      const { calls, failures, timeSinceLastFailureMs } = breaker.status()
      expect(failures).toBeGreaterThanOrEqual(0)
      expect(calls).toBeGreaterThanOrEqual(failures)
      expect(timeSinceLastFailureMs ?? 0).toBeGreaterThanOrEqual(0)
    }
  })

  it('8: while the circuit is open, a clock that steps back makes it wait longer, never for ever', async () => {
    const clock = fakeClock({ startMs: 100_000 })
    const breaker = circuitBreaker({ failureThreshold: 1, openFor: '10s', clock })
    await fail(breaker)
    clock.step(-5_000)
    expect(breaker.tryAcquire()).toMatchObject({ refused: true, retryAfterMs: 15_000 })
    clock.tick('15s')
    expect(breaker.state).toBe('half-open')
  })

  it('9: a million calls within a second keep no memory of each of them', () => {
    const clock = fakeClock()
    const rules = { failureRatio: 1, failureThreshold: 100, failureWindow: '60s', clock } as const
    const breaker = circuitBreaker(rules)
    const callOften = (times: number): void => {
      for (let call = 0; call < times; call++) {
        clock.step(0.001)
        permitOf(breaker).success()
      }
    }
    callOften(10_000)
    const before = usedMemory()
    callOften(1_000_000)
    expect(usedMemory() - before).toBeLessThan(2_000_000) // one number per call would be 8 MB
    expect(breaker.status().calls).toBe(1_010_000)
  })

  it('is exact for a failure threshold: n failures within the window open, n in one window and an instant do not', async () => {
    for (const [gapMs, state] of [
      [999, 'open'],
      [1_000, 'closed'],
    ] as const) {
      const clock = fakeClock()
      const breaker = circuitBreaker({ failureThreshold: 3, failureWindow: '1s', clock })
      await fail(breaker)
      clock.tick(gapMs - 1)
      await fail(breaker)
      clock.tick(1)
      await fail(breaker)
      expect(breaker.state).toBe(state)
    }
  })
})

function usedMemory(): number {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
  return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers
}
