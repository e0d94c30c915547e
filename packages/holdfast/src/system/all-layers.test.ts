import { describe, expect, it } from 'vitest'
import { fakeClock } from '../core/fake-clock.ts'
import { metricsRegistry } from '../core/metrics/index.ts'
import { idempotencyManager } from '../patterns/index.ts'
import { faultTolerantSystem, type FaultTolerantSystem } from './fault-tolerant-system.ts'
import { protectionOrder, type Protection } from './protection.ts'
import { exposeMetrics } from './system-metrics.ts'

/** One policy for each layer, all of the same name. */
function systemOfAll(clock = fakeClock()): { readonly system: FaultTolerantSystem; readonly protection: Protection } {
  const system = faultTolerantSystem({ clock })
  system.createFallback('x', { value: 'fallback' })
  system.createCache('x', { ttl: '1m' })
  system.register(idempotencyManager({ name: 'x', clock }).policy({ name: 'x' }))
  system.createLoadShedder('x', { maxLoad: 0.8, capacity: 10 })
  system.createTimeout('x', { after: '1s' })
  system.createRetry('x')
  system.createHedge('x', { delay: '100ms' })
  system.createCircuitBreaker('x')
  system.createRateLimiter('x', { limit: 100, window: '1s' })
  system.createThrottler('x', { maxConcurrent: 5 })
  system.createAdaptiveConcurrency('x')
  system.createBulkhead('x', { maxConcurrent: 5 })
  return { system, protection: Object.fromEntries(protectionOrder.map((layer) => [layer, 'x'])) }
}

describe('all layers of the default order together', () => {
  it('110: let a call through, each of them once', async () => {
    const { system, protection } = systemOfAll()
    const call = { ...protection, key: 'tenant', idempotencyKey: 'order-7', labels: { model: 'large' } }
    let calls = 0
    const run = ({ idempotencyKey, labels }: { idempotencyKey: string | undefined; labels: unknown }): unknown[] => [
      ++calls,
      idempotencyKey,
      labels,
    ]
    expect(await system.executeWithProtection(run, call)).toEqual([1, 'order-7', { model: 'large' }])
    expect(await system.executeWithProtection(run, call)).toEqual([1, 'order-7', { model: 'large' }]) // the cache's
    const { policies } = system.statistics()
    expect(policies).toMatchObject({
      'cache/x': { hits: 1, misses: 1 },
      'idempotency/x': { executed: 1 },
      'load-shedder/x': { admitted: 1, shed: 0, running: 0 },
      'retry/x': { calls: 1 },
      'hedge/x': { calls: 1, hedges: 0 },
      'circuit-breaker/x': { successTotal: 1 },
      'rate-limiter/x': { admitted: 1 },
      'throttler/x': { admitted: 1, running: 0 },
      'adaptive-concurrency/x': { succeeded: 1, running: 0 },
      'bulkhead/x': { succeeded: 1, running: 0 },
    })
    system.dispose()
  })

  it('are taken in the order of the table, whatever the order in which they were asked for', async () => {
    const { system, protection } = systemOfAll()
    const reversed = Object.fromEntries(Object.entries(protection).toReversed())
    const breaker = system.get('circuit-breaker/x') as unknown as { isolate(): void; close(): void }
    breaker.isolate()
    expect(await system.executeWithProtection(() => 'function', { ...reversed, key: 'tenant', idempotencyKey: 'a' })).toBe('fallback')
    const { policies } = system.statistics()
    expect(policies).toMatchObject({
      'fallback/x': { used: 1 },
      'cache/x': { misses: 1, entries: 0 },
      'load-shedder/x': { admitted: 1 },
      'hedge/x': { calls: 1 },
      'rate-limiter/x': { admitted: 0 },
      'throttler/x': { admitted: 0 },
      'bulkhead/x': { admitted: 0 },
    })
    breaker.close() // a refusal was not stored as the outcome of the key
    expect(await system.executeWithProtection(() => 'function', { ...reversed, key: 'tenant', idempotencyKey: 'a' })).toBe('function')
    system.dispose()
  })

  it('show their figures to whoever scrapes', async () => {
    const { system, protection } = systemOfAll()
    const registry = metricsRegistry()
    exposeMetrics(system, registry)
    await system.executeWithProtection(() => 1, { ...protection, key: 'tenant', idempotencyKey: 'order-7' })
    const page = registry.render()
    for (const line of [
      'resilience_hedge_calls_total{name="x"} 1',
      'resilience_cache_calls_total{name="x",outcome="miss"} 1',
      'resilience_throttler_calls_total{name="x",outcome="admitted"} 1',
      'resilience_loadshedder_admitted_total{name="x"} 1',
      'resilience_loadshedder_shed_total{name="x",priority="low"} 0',
      'resilience_adaptive_concurrency_calls_total{name="x",outcome="success"} 1',
      'resilience_idempotency_calls_total{name="x",outcome="executed"} 1',
    ])
      expect(page).toContain(`${line}\n`)
    system.dispose()
  })
})
