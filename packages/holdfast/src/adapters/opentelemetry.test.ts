import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { bulkhead, circuitBreaker, pipeline } from 'holdfast'
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
