import { describe, expect, expectTypeOf, it } from 'vitest'
import { fakeClock } from '../core/fake-clock.ts'
import type { PolicyEvent } from '../core/events.ts'
import { metricsRegistry } from '../core/metrics/index.ts'
import { circuitBreaker, retry } from '../patterns/index.ts'
import { faultTolerantSystem } from './fault-tolerant-system.ts'
import { exposeMetrics } from './system-metrics.ts'

const boom = (): never => {
  throw Object.assign(new Error('down'), { code: 'ECONNREFUSED' })
}

describe('registry', () => {
  it('finds policies by kind and name, and lets kinds share a name', () => {
    const system = faultTolerantSystem({ clock: fakeClock() })
    const breaker = system.createCircuitBreaker('payments')
    const places = system.createBulkhead('payments', { maxConcurrent: 2 })
    expect(system.get('circuit-breaker/payments')).toBe(breaker)
    expect(system.get('bulkhead/payments')).toBe(places)
    expect([...system.policies().keys()]).toEqual(['circuit-breaker/payments', 'bulkhead/payments'])
  })

  it('refuses a name twice, and suggests the nearest for one that is unknown', () => {
    const system = faultTolerantSystem({ clock: fakeClock() })
    system.createRetry('payments')
    expect(() => system.createRetry('payments')).toThrow("registered as 'retry/payments' already")
    expect(() => system.get('retry/paymnts')).toThrow("did you mean 'retry/payments'?")
  })

  it('takes in policies made elsewhere, and disposes of all of them at the end', async () => {
    const clock = fakeClock()
    const system = faultTolerantSystem({ clock })
    system.register(circuitBreaker({ name: 'elsewhere', clock }))
    const places = system.createBulkhead('pool', { maxConcurrent: 1, maxQueued: 1 })
    const holder = places.tryAcquire()
    const waiting = places.acquire()
    system.dispose()
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_DISPOSED' })
    expect(system.policies().size).toBe(0)
    expect(() => system.createRetry('late')).toThrow('has been disposed of')
    if (!holder.refused) holder.success()
  })
})

describe('executeWithProtection', () => {
  it('runs in the default order: a retry around the breaker, the breaker around the place', async () => {
    const clock = fakeClock()
    const system = faultTolerantSystem({ clock })
    const breaker = system.createCircuitBreaker('payments', { failureThreshold: 5 })
    system.createBulkhead('pool', { maxConcurrent: 1 })
    let attempts = 0
    const result = system.executeWithProtection(
      () => {
        attempts++
        return boom()
      },
      {
        circuitBreaker: 'payments',
        bulkhead: 'pool',
        retry: { maxAttempts: 3, initialDelay: 0 },
        attemptTimeout: '1s',
        fallback: { value: 'cached' },
      },
    )
    await clock.advance('1s')
    expect(await result).toBe('cached')
    expect(attempts).toBe(3)
    expect(breaker.status().failureTotal).toBe(3)
  })

  it('stops retrying at once when the circuit opens', async () => {
    const system = faultTolerantSystem({ clock: fakeClock() })
    system.createCircuitBreaker('payments', { failureThreshold: 1 })
    let attempts = 0
    const run = (): never => {
      attempts++
      return boom()
    }
    const protection = { circuitBreaker: 'payments', retry: { maxAttempts: 5, initialDelay: 0 } }
    await expect(system.executeWithProtection(run, protection)).rejects.toMatchObject({ code: 'ERR_CIRCUIT_OPEN' })
    expect(attempts).toBe(1)
  })

  it('takes policies as well as names, and passes the options of the one call on', async () => {
    const clock = fakeClock()
    const system = faultTolerantSystem({ clock })
    const again = retry({ maxAttempts: 2, initialDelay: 0, clock })
    const controller = new AbortController()
    const seen: unknown[] = []
    await system.executeWithProtection(
      (call) => {
        seen.push(call.key, call.context, call.signal === controller.signal)
      },
      { retry: again, key: 'tenant', context: { id: 1 }, signal: controller.signal },
    )
    expect(seen).toEqual(['tenant', { id: 1 }, true])
  })

  it('protects without any protection, and keeps the type of the result', async () => {
    const system = faultTolerantSystem({ clock: fakeClock() })
    const result = system.executeWithProtection(async () => 5)
    expectTypeOf(result).toEqualTypeOf<Promise<number>>()
    expect(await result).toBe(5)
  })

  it('says what is unknown, what keeps state, and what is no protection', async () => {
    const system = faultTolerantSystem({ clock: fakeClock() })
    const run = (): number => 1
    await expect(system.executeWithProtection(run, { circuitBreaker: 'nobody' })).rejects.toThrow("no policy is registered as 'nobody'")
    await expect(system.executeWithProtection(run, { bulkhead: { maxConcurrent: 1 } as never })).rejects.toThrow(
      "'bulkhead' keeps state between calls",
    )
    await expect(system.executeWithProtection(run, { circuitbreaker: 'x' } as never)).rejects.toThrow("did you mean 'circuitBreaker'?")
  })

  it('reports a refusal as plain data through tryExecuteWithProtection', async () => {
    const system = faultTolerantSystem({ clock: fakeClock() })
    system.createCircuitBreaker('payments').isolate()
    expect(await system.tryExecuteWithProtection(() => 1, { circuitBreaker: 'payments' })).toMatchObject({
      ok: false,
      refusal: { code: 'ERR_CIRCUIT_ISOLATED' },
    })
  })
})

describe('health, events and figures', () => {
  it('24: an open circuit degrades with its reason, and never makes the system unready', async () => {
    const system = faultTolerantSystem({ clock: fakeClock() })
    system.createCircuitBreaker('payments', { failureThreshold: 1, openFor: '30s' })
    expect(system.health()).toMatchObject({ status: 'pass', summary: 'healthy' })
    await system.executeWithProtection(boom, { circuitBreaker: 'payments' }).catch(() => undefined)
    expect(system.health()).toMatchObject({
      status: 'warn',
      summary: 'degraded',
      ready: true,
      reasons: ["circuit breaker 'payments' is open, next attempt in 30 s"],
    })
  })

  it('asks registered dependencies', async () => {
    const system = faultTolerantSystem({ clock: fakeClock() })
    const end = system.registerHealthCheck('database', { check: () => false, critical: true })
    expect(await system.checkHealth()).toMatchObject({ status: 'fail', ready: false })
    end()
    expect(await system.checkHealth()).toMatchObject({ status: 'pass', ready: true })
  })

  it('tells every event of every policy once, also of those inside pipelines', async () => {
    const clock = fakeClock()
    const system = faultTolerantSystem({ clock })
    const events: PolicyEvent[] = []
    const breaker = system.createCircuitBreaker('payments', { failureThreshold: 1 })
    system.on((event) => events.push(event))
    const hidden = circuitBreaker({ name: 'hidden', failureThreshold: 1, clock })
    const guarded = system.createPipeline('guarded', breaker, hidden)
    await guarded.tryExecute(boom)
    await clock.settle()
    expect(events.filter(({ type }) => type === 'circuit.opened').map(({ policy }) => policy)).toEqual(['hidden', 'payments'])
    system.remove('pipeline/guarded')
    hidden.reset()
    await hidden.tryExecute(boom)
    await clock.settle()
    expect(events.filter(({ type }) => type === 'circuit.opened')).toHaveLength(2)
  })

  it('has all statistics by id, as plain data', async () => {
    const system = faultTolerantSystem({ clock: fakeClock() })
    system.createBulkhead('pool', { maxConcurrent: 3 })
    await system.executeWithProtection(() => 1, { bulkhead: 'pool' })
    const { policies } = system.statistics()
    expect(policies['bulkhead/pool']).toMatchObject({ admitted: 1, succeeded: 1, running: 0 })
    expect(JSON.parse(JSON.stringify(policies))).toBeTruthy()
    expect(JSON.parse(JSON.stringify(system.describe()))).toMatchObject([{ kind: 'bulkhead', name: 'pool', maxConcurrent: 3 }])
  })

  it('shows all policies in a registry, read at the scrape', async () => {
    const system = faultTolerantSystem({ clock: fakeClock() })
    const registry = metricsRegistry()
    const end = exposeMetrics(system, registry)
    system.createCircuitBreaker('payments', { failureThreshold: 1 })
    await system.executeWithProtection(boom, { circuitBreaker: 'payments' }).catch(() => undefined)
    expect(registry.render()).toContain('resilience_circuitbreaker_state{name="payments",state="open"} 1')
    expect(registry.render()).toContain('resilience_circuitbreaker_calls_total{name="payments",outcome="failure"} 1')
    end()
    expect(registry.render()).not.toContain('payments')
  })
})

it('a fallback among the protections needs a value or a handler', async () => {
  const system = faultTolerantSystem({ clock: fakeClock() })
  await expect(system.executeWithProtection(boom, { fallback: { when: () => true } })).rejects.toMatchObject({
    code: 'ERR_INVALID_ARGUMENT',
  })
})
