import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { fakeClock } from '../fake-clock.ts'
import type { HistogramOptions } from './registry.ts'
import { metricsRegistry, type MetricsRegistry } from './registry.ts'
import { parsePage, type ParsedSample } from './parse-page.fixture.ts'

function samplesOf(registry: MetricsRegistry, name: string): readonly ParsedSample[] {
  return parsePage('prometheus', registry.render()).get(name)?.samples ?? []
}

function valueOf(registry: MetricsRegistry, name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
  return samplesOf(registry, name).find((sample) => JSON.stringify(sample.labels) === JSON.stringify(labels))?.value
}

describe('handles', () => {
  it('write to the series of their labels', () => {
    const registry = metricsRegistry()
    const calls = registry.counter({ name: 'calls_total', help: 'Calls.', labelNames: ['policy', 'outcome'] })
    calls.labels({ policy: 'a', outcome: 'success' }).inc()
    calls.labels({ outcome: 'success', policy: 'a' }).add(2.5)
    calls.labels({ policy: 'a', outcome: 'failure' }).inc()
    expect(valueOf(registry, 'calls_total', { policy: 'a', outcome: 'success' })).toBe(3.5)
    expect(valueOf(registry, 'calls_total', { policy: 'a', outcome: 'failure' })).toBe(1)
  })

  it('of one label set are the same handle', () => {
    const calls = metricsRegistry().counter({ name: 'calls_total', help: 'Calls.', labelNames: ['policy'] })
    expect(calls.labels({ policy: 'a' })).toBe(calls.labels({ policy: 'a' }))
  })

  it('of a counter ignore what would make it fall or poison it', () => {
    const handle = metricsRegistry().counter({ name: 'calls_total', help: 'Calls.' }).labels({})
    for (const amount of [-1, NaN, Infinity, -Infinity]) handle.add(amount)
    expect(handle.value).toBe(0)
  })

  it('of a gauge go up and down, and ignore adding what is no finite number', () => {
    const gauge = metricsRegistry().gauge({ name: 'running', help: 'Running.' }).labels({})
    gauge.set(5)
    gauge.inc()
    gauge.dec()
    gauge.add(-2)
    gauge.add(NaN)
    expect(gauge.value).toBe(3)
  })

  it('of a histogram count exactly at the buckets, in seconds', () => {
    const registry = metricsRegistry()
    const handle = registry.histogram({ name: 'wait_seconds', help: 'Wait.', buckets: [0.1, 0.25, 1] }).labels({})
    for (const value of [0.05, 0.1, 0.1000001, 0.25, 3]) handle.observe(value)
    expect(samplesOf(registry, 'wait_seconds').map(({ labels, value }) => [labels['le'], value])).toEqual([
      ['0.1', 2],
      ['0.25', 4],
      ['1', 4],
      ['+Inf', 5],
      [undefined, expect.closeTo(3.5000001)],
      [undefined, 5],
    ])
  })

  it('of a histogram give the percentiles of a window', () => {
    const handle = metricsRegistry().histogram({ name: 'wait_seconds', help: 'Wait.' }).labels({})
    for (let count = 0; count < 1_000; count++) handle.observe(0.01)
    const before = handle.distribution()
    for (let count = 0; count < 10; count++) handle.observe(2)
    expect(handle.percentile(0.5)).toBeCloseTo(0.01, 3)
    expect(handle.distribution().since(before).percentile(0.5)).toBeGreaterThan(1.9)
  })
})

describe('unlabelled metrics', () => {
  it('are on the page from the start', () => {
    const registry = metricsRegistry()
    registry.counter({ name: 'calls_total', help: 'Calls.' })
    expect(valueOf(registry, 'calls_total')).toBe(0)
  })
})

describe('38: the number of series is bounded', () => {
  it('further label sets share the series in which every label is __overflow__, and are counted', () => {
    const registry = metricsRegistry({ maxSeries: 2 })
    const calls = registry.counter({ name: 'calls_total', help: 'Calls.', labelNames: ['tenant', 'outcome'] })
    for (const tenant of ['a', 'b', 'c', 'd', 'd']) calls.labels({ tenant, outcome: 'success' }).inc()
    calls.labels({ tenant: 'a', outcome: 'success' }).inc()
    expect(samplesOf(registry, 'calls_total').map(({ labels, value }) => [labels['tenant'], labels['outcome'], value])).toEqual([
      ['a', 'success', 2],
      ['b', 'success', 1],
      ['__overflow__', '__overflow__', 3],
    ])
    expect(valueOf(registry, 'holdfast_metrics_overflow_total', { metric: 'calls_total' })).toBe(3)
  })

  it('100k distinct values make 1001 series of a counter and of a histogram, and hold less than 16 MiB', async () => {
    const registry = metricsRegistry()
    const before = await memoryInUse()
    const calls = registry.counter({ name: 'calls_total', help: 'Calls.', labelNames: ['user'] })
    const waits = registry.histogram({ name: 'wait_seconds', help: 'Wait.', labelNames: ['user'] })
    for (let user = 0; user < 100_000; user++) {
      calls.labels({ user: `user-${user}` }).inc()
      waits.labels({ user: `user-${user}` }).observe(1)
    }
    expect([calls.size, waits.size]).toEqual([1_001, 1_001])
    expect(valueOf(registry, 'calls_total', { user: '__overflow__' })).toBe(99_000)
    expect((await memoryInUse()) - before).toBeLessThan(16 * 2 ** 20)
  })

  it('observed metrics keep to the limit, too', () => {
    const registry = metricsRegistry({ maxSeries: 3 })
    registry.observeCounter({ name: 'seen_total', help: 'Seen.', labelNames: ['key'] }, (report) => {
      for (let key = 0; key < 10; key++) report(1, { key })
    })
    expect(samplesOf(registry, 'seen_total').map(({ labels, value }) => [labels['key'], value])).toEqual([
      ['0', 1],
      ['1', 1],
      ['2', 1],
      ['__overflow__', 7],
    ])
    expect(valueOf(registry, 'holdfast_metrics_overflow_total', { metric: 'seen_total' })).toBe(7)
  })

  it('a series that was removed makes room for another', () => {
    const registry = metricsRegistry({ maxSeries: 1 })
    const calls = registry.counter({ name: 'calls_total', help: 'Calls.', labelNames: ['tenant'] })
    calls.labels({ tenant: 'a' }).inc()
    expect(calls.remove({ tenant: 'a' })).toBe(true)
    calls.labels({ tenant: 'b' }).inc()
    expect(samplesOf(registry, 'calls_total').map(({ labels }) => labels['tenant'])).toEqual(['b'])
  })

  it('a long label value is cut', () => {
    const registry = metricsRegistry()
    registry.counter({ name: 'calls_total', help: 'Calls.', labelNames: ['path'] }).labels({ path: 'é'.repeat(100_000) })
    expect(samplesOf(registry, 'calls_total')[0]?.labels['path']).toHaveLength(256)
  })
})

describe('removing series', () => {
  it('a stale handle never writes into the slot that another series got', () => {
    const registry = metricsRegistry()
    const calls = registry.counter({ name: 'calls_total', help: 'Calls.', labelNames: ['tenant'] })
    const running = registry.gauge({ name: 'running', help: 'Running.', labelNames: ['tenant'] })
    const stale = calls.labels({ tenant: 'a' })
    const staleGauge = running.labels({ tenant: 'a' })
    stale.add(7)
    calls.remove({ tenant: 'a' })
    running.remove({ tenant: 'a' })
    const fresh = Array.from({ length: 300 }, (_, tenant) => calls.labels({ tenant }))
    stale.inc()
    stale.add(5)
    staleGauge.set(9)
    staleGauge.dec()
    expect(fresh.map((handle) => handle.value)).toEqual(fresh.map(() => 0))
    expect([stale.value, staleGauge.value]).toEqual([0, 0])
  })

  it('a stale histogram handle writes nowhere', () => {
    const registry = metricsRegistry()
    const waits = registry.histogram({ name: 'wait_seconds', help: 'Wait.', labelNames: ['tenant'] })
    const stale = waits.labels({ tenant: 'a' })
    stale.observe(1)
    waits.remove({ tenant: 'a' })
    stale.observe(1)
    expect([stale.count, stale.sum, stale.percentile(0.5)]).toEqual([0, 0, null])
    expect(waits.labels({ tenant: 'a' }).count).toBe(0)
  })

  it('a disposed scope takes its series along, of all metrics', () => {
    const registry = metricsRegistry()
    const calls = registry.counter({ name: 'calls_total', help: 'Calls.', labelNames: ['policy'] })
    const waits = registry.histogram({ name: 'wait_seconds', help: 'Wait.', labelNames: ['policy'] })
    const scope = registry.scope()
    const stale = calls.labels({ policy: 'a' }, scope)
    waits.labels({ policy: 'a' }, scope)
    registry.observeGauge({ name: 'state', help: 'State.' }, (report) => report(1), scope)
    calls.labels({ policy: 'b' })
    scope.dispose()
    scope.dispose()
    stale.inc()
    expect(samplesOf(registry, 'calls_total').map(({ labels }) => labels['policy'])).toEqual(['b'])
    expect([samplesOf(registry, 'wait_seconds'), samplesOf(registry, 'state')]).toEqual([[], []])
  })

  it('a series lives as long as one of its scopes: the successor of a reloaded policy keeps counting', () => {
    const registry = metricsRegistry()
    const calls = registry.counter({ name: 'calls_total', help: 'Calls.', labelNames: ['policy'] })
    const [old, successor] = [registry.scope(), registry.scope()]
    calls.labels({ policy: 'a' }, old).inc()
    const handle = calls.labels({ policy: 'a' }, successor)
    old.dispose()
    handle.inc()
    expect(valueOf(registry, 'calls_total', { policy: 'a' })).toBe(2)
    successor.dispose()
    expect(calls.size).toBe(0)
  })

  it('a series asked for without a scope stays when a scope that used it ends', () => {
    const registry = metricsRegistry()
    const calls = registry.counter({ name: 'calls_total', help: 'Calls.', labelNames: ['policy'] })
    const scope = registry.scope()
    calls.labels({ policy: 'a' }, scope)
    calls.labels({ policy: 'a' }).inc()
    scope.dispose()
    expect(valueOf(registry, 'calls_total', { policy: 'a' })).toBe(1)
  })

  it('a disposed scope gets handles that write nowhere, and asks no collector', () => {
    const registry = metricsRegistry()
    const calls = registry.counter({ name: 'calls_total', help: 'Calls.', labelNames: ['policy'] })
    const scope = registry.scope()
    scope.dispose()
    calls.labels({ policy: 'a' }, scope).inc()
    registry.observeGauge({ name: 'state', help: 'State.' }, (report) => report(1), scope)
    expect(calls.size).toBe(0)
    expect(samplesOf(registry, 'state')).toEqual([])
  })

  it('ten thousand short-lived policies leave nothing behind', async () => {
    const registry = metricsRegistry()
    const calls = registry.counter({ name: 'calls_total', help: 'Calls.', labelNames: ['policy'] })
    const waits = registry.histogram({ name: 'wait_seconds', help: 'Wait.', labelNames: ['policy'] })
    const live = (policy: number): void => {
      using scope = registry.scope()
      calls.labels({ policy }, scope).inc()
      waits.labels({ policy }, scope).observe(1)
      registry.observeGauge({ name: 'state', help: 'State.', labelNames: ['policy'] }, (report) => report(1, { policy }), scope)
    }
    for (let policy = 0; policy < 100; policy++) live(policy)
    const before = await memoryInUse()
    for (let policy = 0; policy < 10_000; policy++) live(policy)
    expect([calls.size, waits.size]).toEqual([0, 0])
    expect((await memoryInUse()) - before).toBeLessThan(2 ** 20)
  })
})

it('a scope that lives on forgets what was taken away before its end', async () => {
  const registry = metricsRegistry()
  const calls = registry.counter({ name: 'calls_total', help: 'Calls.', labelNames: ['tenant'] })
  const scope = registry.scope()
  const comeAndGo = (tenant: number): void => {
    calls.labels({ tenant }, scope)
    calls.remove({ tenant })
    registry.observeGauge({ name: 'state', help: 'State.' }, (report) => report(tenant), scope)()
  }
  comeAndGo(0)
  const before = await memoryInUse()
  for (let tenant = 0; tenant < 20_000; tenant++) comeAndGo(tenant)
  expect((await memoryInUse()) - before).toBeLessThan(2 ** 20)
})

describe('observed metrics', () => {
  it('are asked at each look only', () => {
    const registry = metricsRegistry()
    let asked = 0
    registry.observeGauge({ name: 'running', help: 'Running.' }, (report) => report(++asked))
    expect(asked).toBe(0)
    expect([valueOf(registry, 'running'), valueOf(registry, 'running')]).toEqual([1, 2])
  })

  it('leave out what has no value now', () => {
    const registry = metricsRegistry()
    registry.observeGauge({ name: 'failure_ratio', help: 'Share.', labelNames: ['policy'] }, (report) => {
      report(null, { policy: 'idle' })
      report(0.5, { policy: 'busy' })
    })
    expect(samplesOf(registry, 'failure_ratio').map(({ labels }) => labels['policy'])).toEqual(['busy'])
  })

  it('of several owners share a metric: counters of one label set are added up, of gauges the later counts', () => {
    const registry = metricsRegistry()
    const counter = { name: 'calls_total', help: 'Calls.', labelNames: ['policy'] } as const
    const gauge = { name: 'running', help: 'Running.', labelNames: ['policy'] } as const
    registry.observeCounter(counter, (report) => report(3, { policy: 'a' }))
    const end = registry.observeCounter(counter, (report) => report(4, { policy: 'a' }))
    registry.observeGauge(gauge, (report) => report(3, { policy: 'a' }))
    registry.observeGauge(gauge, (report) => report(4, { policy: 'a' }))
    expect([valueOf(registry, 'calls_total', { policy: 'a' }), valueOf(registry, 'running', { policy: 'a' })]).toEqual([7, 4])
    end()
    expect(valueOf(registry, 'calls_total', { policy: 'a' })).toBe(3)
  })

  it('43: a collector that throws costs its own values only, and is counted', async () => {
    const registry = metricsRegistry()
    registry.observeGauge({ name: 'broken', help: 'Broken.' }, () => {
      throw new Error('no')
    })
    registry.observeGauge({ name: 'sound', help: 'Sound.' }, (report) => report(1))
    registry.render()
    await registry.renderAsync()
    registry.snapshot()
    expect(valueOf(registry, 'holdfast_metrics_collect_failures_total', { metric: 'broken' })).toBe(3)
    expect(valueOf(registry, 'sound')).toBe(1)
  })
})

describe('declarations', () => {
  it('made again give the same metric', () => {
    const registry = metricsRegistry()
    const declare = (): unknown => registry.histogram({ name: 'wait_seconds', help: 'Wait.', labelNames: ['a'], buckets: [1, 2] })
    expect(declare()).toBe(declare())
  })

  it.each([
    ['kind', (registry: MetricsRegistry) => registry.gauge({ name: 'wait_seconds', help: 'Wait.', labelNames: ['a'] })],
    ['labelNames', (registry: MetricsRegistry) => registry.histogram({ name: 'wait_seconds', help: 'Wait.', labelNames: ['b'] })],
    ['help', (registry: MetricsRegistry) => registry.histogram({ name: 'wait_seconds', help: 'Other.', labelNames: ['a'] })],
    [
      'buckets',
      (registry: MetricsRegistry) => registry.histogram({ name: 'wait_seconds', help: 'Wait.', labelNames: ['a'], buckets: [1] }),
    ],
    [
      'exemplars',
      (registry: MetricsRegistry) => registry.histogram({ name: 'wait_seconds', help: 'Wait.', labelNames: ['a'], exemplars: true }),
    ],
  ])('made again with another %s are refused', (_what, again) => {
    const registry = metricsRegistry()
    registry.histogram({ name: 'wait_seconds', help: 'Wait.', labelNames: ['a'] })
    expect(() => again(registry)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTION', message: expect.stringContaining('wait_seconds') }),
    )
  })

  it('a metric is either written or observed', () => {
    const registry = metricsRegistry()
    registry.gauge({ name: 'running', help: 'Running.' })
    expect(() => registry.observeGauge({ name: 'running', help: 'Running.' }, () => undefined)).toThrow(/declared with written already/)
  })

  it('36: names whose lines would meet are refused', () => {
    const registry = metricsRegistry()
    registry.counter({ name: 'calls_total', help: 'Calls.' })
    expect(() => registry.gauge({ name: 'calls', help: 'Calls.' })).toThrow(/do not meet those of 'calls_total'/)
    expect(() => registry.counter({ name: 'calls_total_total', help: 'Calls.' })).toThrow(/'_total' once/)
  })

  it.each(['', '1a', 'a-b', 'a b', 'a:b', 'é', 'a_bucket', 'a_sum', 'a_count', 'a_created', 'a_info', 'a_total', 'x'.repeat(201)])(
    '36: a gauge is not named %j',
    (name) => {
      expect(() => metricsRegistry().gauge({ name, help: 'Bad.' })).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION' }))
    },
  )

  it.each(['calls', '_total', 'calls_sum_total', '2_total'])('36: a counter is not named %j', (name) => {
    expect(() => metricsRegistry().counter({ name, help: 'Bad.' })).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION' }))
  })

  it.each([['le'], ['quantile'], ['__name__'], ['1a'], ['a-b'], ['a', 'a'], ['é']])('36: labels are not named %j', (...labelNames) => {
    expect(() => metricsRegistry().gauge({ name: 'running', help: 'Running.', labelNames })).toThrow(/labelNames\[\d\]/)
  })

  it('say what is wrong with an option', () => {
    const registry = metricsRegistry()
    const wrong: readonly [Partial<HistogramOptions>, RegExp][] = [
      [{ help: ' ' }, /'help' must be a text/],
      [{ buckets: [] }, /'buckets' must be a list of at least one bound/],
      [{ buckets: [2, 1] }, /'buckets\[1\]' must be a finite number above 2/],
      [{ maxSeries: 0 }, /'maxSeries' must be a whole number/],
      [{ exemplars: 1 as never }, /'exemplars' must be true or false/],
      [{ bucket: [1] } as never, /no option 'bucket' \(did you mean 'buckets'/],
    ]
    for (const [options, message] of wrong) expect(() => registry.histogram({ name: 'w_seconds', help: 'W.', ...options })).toThrow(message)
    expect(() => metricsRegistry({ maxSeries: -1 })).toThrow(/'maxSeries'/)
  })

  it('labels that are missing, unknown or no plain value are refused', () => {
    const calls = metricsRegistry().counter({ name: 'calls_total', help: 'Calls.', labelNames: ['policy'] })
    for (const labels of [{}, { policy: undefined }, { policy: {} }, { policy: 'a', other: 'b' }]) {
      expect(() => calls.labels(labels as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }))
    }
  })
})

describe('snapshot', () => {
  it('is plain data with percentiles, and null where there is no value', () => {
    const registry = metricsRegistry({ clock: fakeClock() })
    registry.gauge({ name: 'share', help: 'Share.' }).labels({}).set(NaN)
    const waits = registry.histogram({ name: 'wait_seconds', help: 'Wait.', labelNames: ['policy'] })
    for (let value = 1; value <= 100; value++) waits.labels({ policy: 'a' }).observe(value / 100)
    waits.labels({ policy: 'idle' })
    const found = JSON.parse(JSON.stringify(registry.snapshot())) as { name: string; kind: string; series: Record<string, number>[] }[]
    const share = found.find(({ name }) => name === 'share')
    const wait = found.find(({ name }) => name === 'wait_seconds')
    expect(share).toMatchObject({ kind: 'gauge', help: 'Share.', labelNames: [], series: [{ labels: {}, value: null }] })
    expect(wait?.series[0]).toMatchObject({ labels: { policy: 'a' }, count: 100, max: 1 })
    expect(wait?.series[0]?.['p50']).toBeCloseTo(0.5, 1)
    expect(wait?.series[0]?.['p99']).toBeCloseTo(0.99, 1)
    expect(wait?.series[1]).toEqual({
      labels: { policy: 'idle' },
      count: 0,
      sum: 0,
      mean: null,
      p50: null,
      p95: null,
      p99: null,
      max: null,
    })
  })
})

/** Bytes in use when garbage is gone: array buffers go a little later than what refers to them. */
async function memoryInUse(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  let least = Infinity
  for (let round = 0; round < 3; round++) {
    collect()
    await new Promise(setImmediate)
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    least = Math.min(least, heapUsed + arrayBuffers)
  }
  return least
}
