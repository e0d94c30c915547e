import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { bulkhead, circuitBreaker, idempotencyManager, pipeline, replaceable } from 'holdfast'
import { openTelemetryBridge } from 'holdfast/adapters/opentelemetry'
import { faultTolerantSystem } from 'holdfast/system'
import { afterEach, describe, expect, it } from 'vitest'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

function newCollection() {
  const reader = new PeriodicExportingMetricReader({
    exporter: new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE),
    exportIntervalMillis: 3_600_000,
  })
  const provider = new MeterProvider({ readers: [reader] })
  ends.push(() => provider.shutdown())
  const collect = async () => {
    const { resourceMetrics, errors } = await reader.collect()
    expect(errors).toEqual([])
    const found = resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics)
    return {
      names: () => found.filter(({ dataPoints }) => dataPoints.length > 0).map(({ descriptor }) => descriptor.name),
      unitOf: (name: string) => found.find(({ descriptor }) => descriptor.name === name)?.descriptor.unit,
      points: (name: string) =>
        (found.find(({ descriptor }) => descriptor.name === name)?.dataPoints ?? []).map(({ attributes, value }) => [attributes, value]),
    }
  }
  return { meter: provider.getMeter('holdfast'), collect }
}

const fails = async (): Promise<never> => Promise.reject(new Error('down'))

describe('the bridge to OpenTelemetry', () => {
  it('shows the state and the calls of every policy of a system, and those of policies that join later', async () => {
    const { meter, collect } = newCollection()
    const system = faultTolerantSystem()
    ends.push(() => system[Symbol.dispose]())
    openTelemetryBridge({ source: system, meter })
    const circuit = system.createCircuitBreaker('payments')
    await circuit.execute(() => 'fine')
    await circuit.execute(fails).catch(() => {})
    circuit.isolate()
    const seen = await collect()
    const name = { 'holdfast.policy.name': 'payments' }
    expect(seen.points('holdfast.circuit_breaker.calls')).toEqual([
      [{ ...name, 'holdfast.outcome': 'success' }, 1],
      [{ ...name, 'holdfast.outcome': 'failure' }, 1],
      [{ ...name, 'holdfast.outcome': 'ignored' }, 0],
      [{ ...name, 'holdfast.outcome': 'refused' }, 0],
    ])
    expect(seen.unitOf('holdfast.circuit_breaker.calls')).toBe('{call}')
    const states = seen.points('holdfast.circuit_breaker.state')
    expect(states.filter(([, value]) => value === 1)).toEqual([[{ ...name, 'holdfast.circuit_breaker.state': 'isolated' }, 1]])
    expect(states).toHaveLength(5)
  })

  it('shows one policy, and reads it no more once it has ended', async () => {
    const { meter, collect } = newCollection()
    const policy = bulkhead({ name: 'db', maxConcurrent: 3 })
    let reads = 0
    const source = {
      status: () => {
        reads++
        return policy.status()
      },
    }
    const end = openTelemetryBridge({ source, meter })
    expect((await collect()).points('holdfast.bulkhead.limit')).toEqual([[{ 'holdfast.policy.name': 'db' }, 3]])
    expect(reads).toBe(1)
    end()
    await collect()
    expect(reads).toBe(1)
  })

  it('shows the layers of a pipeline, those of pipelines inside it too', async () => {
    const { meter, collect } = newCollection()
    const inner = pipeline(bulkhead({ name: 'db', maxConcurrent: 3 }))
    openTelemetryBridge({ source: pipeline(circuitBreaker({ name: 'db' }), inner), meter })
    const seen = await collect()
    expect(seen.points('holdfast.bulkhead.limit')).toEqual([[{ 'holdfast.policy.name': 'db' }, 3]])
    expect(seen.points('holdfast.circuit_breaker.opened')).toEqual([[{ 'holdfast.policy.name': 'db' }, 0]])
  })

  it('has figures of every kind of policy', async () => {
    const { meter, collect } = newCollection()
    const system = faultTolerantSystem()
    ends.push(() => system[Symbol.dispose]())
    const made = [
      system.createCircuitBreaker('x'),
      system.createRetry('x'),
      system.createTimeout('x', { after: '1s' }),
      system.createBulkhead('x', { maxConcurrent: 1 }),
      system.createRateLimiter('x', { limit: 1, window: '1s' }),
      system.createFallback('x', { value: 1 }),
      system.createHedge('x', { delay: 1 }),
      system.createCache('x', { ttl: 1 }),
      system.createThrottler('x', { maxConcurrent: 1 }),
      system.createLoadShedder('x', { capacity: 1 }),
      system.createAdaptiveConcurrency('x'),
      system.register(idempotencyManager({ name: 'x' }).policy({ name: 'x' })),
    ]
    openTelemetryBridge({ source: system, meter })
    const names = (await collect()).names()
    for (const { kind } of made) {
      const prefix = `holdfast.${kind.replaceAll('-', '_')}.`
      expect([prefix, names.some((name) => name.startsWith(prefix))]).toEqual([prefix, true])
    }
  })

  it('shows what a replaceable policy is now', async () => {
    const { meter, collect } = newCollection()
    const current = replaceable(bulkhead({ name: 'db', maxConcurrent: 3 }))
    openTelemetryBridge({ source: pipeline(current), meter })
    expect((await collect()).points('holdfast.bulkhead.limit')).toEqual([[{ 'holdfast.policy.name': 'db' }, 3]])
    current.replace(pipeline(bulkhead({ name: 'db2', maxConcurrent: 5 })))
    expect((await collect()).points('holdfast.bulkhead.limit')).toContainEqual([{ 'holdfast.policy.name': 'db2' }, 5])
  })

  it('gives no value where a policy has none', async () => {
    const { meter, collect } = newCollection()
    openTelemetryBridge({ source: circuitBreaker({ name: 'idle' }), meter })
    expect((await collect()).points('holdfast.circuit_breaker.failure_ratio')).toEqual([])
  })

  it('says what is wrong with what it is given', () => {
    const { meter } = newCollection()
    expect(() => openTelemetryBridge({ source: {} as never, meter })).toThrow('source must be a policy or a system, got')
    expect(() => openTelemetryBridge({ source: circuitBreaker(), meter: {} as never })).toThrow(
      'meter must be a Meter of @opentelemetry/api',
    )
  })
})
