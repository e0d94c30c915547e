import { bulkhead, circuitBreaker, pipeline, policy, rateLimiter, refusal, type Gate, type PolicyLike } from 'holdfast'
import type { FakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { begin, halfOpen } from './circuit-breaker.fixture.ts'

describe('33: a probe that is refused further inside', () => {
  const inner: Record<string, (clock: FakeClock) => { readonly policy: PolicyLike; free(): void }> = {
    'by a bulkhead': (clock) => {
      const door = bulkhead({ maxConcurrent: 1, clock })
      const held = door.tryAcquire()
      return { policy: door, free: () => held.refused || held.success() }
    },
    'by a rate limiter': (clock) => {
      const limiter = rateLimiter({ limit: 1, window: '1s', clock })
      limiter.tryAcquire()
      return { policy: limiter, free: () => clock.tick('1s') }
    },
    'by a second breaker': (clock) => {
      const second = circuitBreaker({ name: 'second', clock })
      second.isolate()
      return { policy: second, free: () => second.close() }
    },
    'by a gate of the user': () => {
      let isFull = true
      const gate: Gate<string> = {
        kind: 'gate',
        admit: () => (isFull ? refusal('ERR_RATE_LIMITED', 'own') : 'permit'),
        settle: () => undefined,
      }
      return { policy: policy({ name: 'own', parts: gate }), free: () => (isFull = false) }
    },
  }
  for (const [how, make] of Object.entries(inner)) {
    it(`${how} does not keep its place, nor decide`, async () => {
      const { breaker, clock } = await halfOpen({ successThreshold: 1 })
      const { policy: door, free } = make(clock)
      const guarded = pipeline(breaker, door)
      for (let call = 0; call < 5; call++) expect(await guarded.tryExecute(() => 'in')).toMatchObject({ ok: false, refusal: {} })
      expect(breaker.status()).toMatchObject({ state: 'half-open', openedTotal: 1, probes: { running: 0, successes: 0, failures: 0 } })
      free()
      expect(await guarded.execute(() => 'in')).toBe('in')
      expect(breaker.state).toBe('closed')
    })
  }

  it('that waited inside while the circuit opened again does not run', async () => {
    const { breaker, clock } = await halfOpen({ successThreshold: 2 })
    const door = bulkhead({ maxConcurrent: 1, maxQueued: 5, clock })
    const guarded = pipeline(breaker, door)
    const [first, second] = [begin(guarded), begin(guarded)]
    await first.fail()
    expect(await second.outcome).toMatchObject({ ok: false, refusal: { code: 'ERR_CIRCUIT_OPEN', policy: 'circuit-breaker' } })
    expect(second.ran).toBe(false)
    expect(door.status()).toMatchObject({ running: 0, queued: 0 })
  })

  it('that waited inside until its lease was over does not run either, though the circuit is still half-open', async () => {
    const { breaker, clock } = await halfOpen({ halfOpenFailureRatio: 1, halfOpenProbes: 3, probeTimeout: '5s' })
    const guarded = pipeline(breaker, bulkhead({ maxConcurrent: 1, maxQueued: 5, clock }))
    const first = begin(guarded)
    clock.tick('1s')
    const second = begin(guarded)
    clock.tick('3s')
    const third = begin(guarded)
    clock.tick('2s') // the leases of the first two are over
    await first.fail()
    expect(await second.outcome).toMatchObject({ ok: false, refusal: { code: 'ERR_CIRCUIT_OPEN' } })
    expect([second.ran, third.ran, breaker.state]).toEqual([false, true, 'half-open'])
    await third.succeed()
    expect(breaker.state).toBe('closed')
  })
})
