/** Named policies under one roof, with health and metrics. Run it: node --import tsx examples/system.ts */
import { metricsRegistry } from 'holdfast'
import { exposeMetrics, faultTolerantSystem } from 'holdfast/system'

using system = faultTolerantSystem()
system.createCircuitBreaker('payments', { failureThreshold: 3, openFor: '30s' })
system.createBulkhead('payments', { maxConcurrent: 10, maxQueued: 20 })
const registry = metricsRegistry()
exposeMetrics(system, registry)

const protection = {
  circuitBreaker: 'payments',
  bulkhead: 'payments',
  attemptTimeout: '500ms',
  fallback: { value: 'try again later' },
} as const

for (let order = 1; order <= 5; order++) {
  const answer = await system.executeWithProtection(() => Promise.reject(new Error('the payment service is down')), protection)
  console.log(`order ${order}: ${String(answer)}`)
}

const { summary, reasons } = system.health()
console.log(`${summary}: ${reasons.join('; ')}`)
console.log(
  registry
    .render()
    .split('\n')
    .filter((line) => line.startsWith('resilience_circuitbreaker_calls_total'))
    .join('\n'),
)
