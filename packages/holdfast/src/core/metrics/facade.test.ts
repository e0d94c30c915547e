import { metrics, metricsFacade, metricsRegistry } from 'holdfast'
import { describe, expect, it } from 'vitest'

describe('measurements by name', () => {
  it('are shown as gauges, counters and histograms, under names that Prometheus takes', () => {
    const facade = metricsFacade(metricsRegistry())
    facade.gauge('circuit_breaker.state', 1, { circuit: 'llm' })
    facade.increment('circuit_breaker.failures', undefined, { circuit: 'llm' })
    facade.increment('circuit_breaker.failures', 2, { circuit: 'llm' })
    facade.timing('retry.delay', 250)
    facade.gauge('backpressure.queue-depth', 3)
    const page = facade.registry.render()
    expect(page).toContain('circuit_breaker_state{circuit="llm"} 1\n')
    expect(page).toContain('circuit_breaker_failures_total{circuit="llm"} 3\n')
    expect(page).toContain('retry_delay_seconds_bucket{le="0.25"} 1\n')
    expect(page).toContain('retry_delay_seconds_sum 0.25\n')
    expect(page).toContain('backpressure_queue_depth 3\n')
  })

  it('may have names whose endings mean something else to Prometheus', () => {
    const facade = metricsFacade(metricsRegistry())
    facade.gauge('agents.count', 3)
    facade.gauge('agents.total', 4)
    facade.increment('errors.count')
    facade.increment('orders.total', 2)
    facade.timing('wait.sum', 1_000)
    const page = facade.registry.render()
    for (const line of [
      'agents_count_value 3',
      'agents_total_value 4',
      'errors_count_value_total 1',
      'orders_total 2',
      'wait_sum_seconds_sum 1',
    ])
      expect(page).toContain(`${line}\n`)
  })

  it('of one metric have the same tags always, in any order', () => {
    const facade = metricsFacade(metricsRegistry())
    facade.increment('calls', 1, { model: 'large', tenant: 7 })
    facade.increment('calls', 1, { tenant: 7, model: 'large' })
    expect(() => facade.increment('calls', 1, { model: 'large' })).toThrow(
      "'calls' has the tags model, tenant, and was given model: a metric always has the same ones",
    )
    expect(() => facade.gauge('calls', 1, { model: 'large', tenant: 7 })).toThrow("'calls' is a counter already, and cannot be a gauge")
    expect(facade.registry.render()).toContain('calls_total{model="large",tenant="7"} 2\n')
  })

  it.each<[string, () => void, string]>([
    ['fewer than nothing', () => metricsFacade(metricsRegistry()).increment('calls', -1), 'the value must be 0 or more, got -1'],
    ['no name', () => metricsFacade(metricsRegistry()).gauge('..', 1), 'the name of a metric must have letters, got ".."'],
  ])('are refused: %s', (_what, measure, message) => {
    expect(measure).toThrow(message)
  })

  it('cannot make up names without end', () => {
    const facade = metricsFacade(metricsRegistry())
    for (let count = 0; count < 10_000; count++) facade.gauge(`g${count}`, 1)
    expect(() => facade.gauge('one_more', 1)).toThrow("'one_more' would be one metric more than 10000: put what differs into tags")
  })

  it('have a registry of the process, for those who need no other', () => {
    metrics.increment('facade_test.calls')
    metrics.gauge('facade_test.depth', 2)
    metrics.timing('facade_test.time', 5)
    expect(metrics.registry.render()).toContain('facade_test_calls_total 1\n')
    expect(metrics.registry).toBe(metrics.registry)
  })
})
