import { expect, it } from 'vitest'
import { fakeClock } from '../core/fake-clock.ts'
import { metricsRegistry } from '../core/metrics/index.ts'
import { faultTolerantSystem } from './fault-tolerant-system.ts'
import { exposeMetrics } from './system-metrics.ts'

it('figures can be had under the names of resilience4j and Polly, beside their own', async () => {
  const clock = fakeClock()
  const system = faultTolerantSystem({ clock })
  const breaker = system.createCircuitBreaker('llm', { failureRatio: 0.5, minimumCalls: 2, windowCalls: 4 })
  const places = system.createBulkhead('pool', { maxConcurrent: 3 })
  const limit = system.createRateLimiter('quota', { limit: 1, window: '1m' })
  system.createRetry('again', { maxAttempts: 2, initialDelay: 0, retryOn: () => true })
  system.createTimeout('patience', { after: 10 })
  await breaker.execute(() => 1)
  await breaker.tryExecute(() => Promise.reject(new Error('down')))
  await breaker.tryExecute(() => 'refused')
  await limit.execute(() => 1)
  await limit.tryExecute(() => 2)
  const permit = places.tryAcquire()
  const hung = system.tryExecuteWithProtection(() => new Promise(() => undefined), { retry: 'again', attemptTimeout: 'patience' })
  await clock.advance(100)
  await hung
  const registry = metricsRegistry()
  exposeMetrics(system, registry)
  exposeMetrics(system, registry, { names: 'resilience4j' })
  exposeMetrics(system, registry, { names: 'polly' })
  const page = registry.render()
  for (const line of [
    'resilience_circuitbreaker_state_code{name="llm"} 1',
    'resilience4j_circuitbreaker_state{name="llm",state="open"} 1',
    'resilience4j_circuitbreaker_state{name="llm",state="closed"} 0',
    'resilience4j_circuitbreaker_slow_call_rate{name="llm"} -1',
    'resilience4j_circuitbreaker_not_permitted_calls_total{name="llm",kind="not_permitted"} 1',
    'resilience4j_bulkhead_available_concurrent_calls{name="pool"} 2',
    'resilience4j_bulkhead_max_allowed_concurrent_calls{name="pool"} 3',
    'resilience4j_retry_calls_total{name="again",kind="failed_with_retry"} 1',
    'resilience4j_timelimiter_calls_total{name="patience",kind="timeout"} 2',
    'resilience_polly_strategy_events_total{strategy_name="again",event_name="OnRetry"} 1',
    'resilience_polly_strategy_events_total{strategy_name="llm",event_name="OnCircuitOpened"} 1',
    'resilience_polly_strategy_events_total{strategy_name="quota",event_name="OnRateLimiterRejected"} 1',
  ])
    expect(page).toContain(`${line}\n`)
  if (!permit.refused) permit.success()
  breaker.isolate()
  await Promise.resolve() // one turn sees one picture
  expect(registry.render()).toContain('resilience4j_circuitbreaker_state{name="llm",state="forced_open"} 1\n')
  system.dispose()
})

it('other names are refused', () => {
  const expose = (): unknown => exposeMetrics(faultTolerantSystem(), metricsRegistry(), { names: 'hystrix' as 'polly' })
  expect(expose).toThrow("exposeMetrics: option 'names' must be one of 'holdfast', 'resilience4j', 'polly'")
})
