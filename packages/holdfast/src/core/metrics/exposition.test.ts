import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { neighbour } from '../../../../../test/support/neighbours.ts'
import { fakeClock } from '../fake-clock.ts'
import { parsePage } from './parse-page.fixture.ts'
import { metricsRegistry, type MetricsRegistry } from './registry.ts'
import type { MetricsFormat } from './text-format.ts'

const formats = ['prometheus', 'openmetrics'] as const
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'

/** One of everything, with difficult texts. */
function fullRegistry(): MetricsRegistry {
  const registry = metricsRegistry({ maxSeries: 50, clock: fakeClock() })
  const calls = registry.counter({
    name: 'resilience_calls_total',
    help: 'Calls with "quotes", a \\ and\na second line.',
    labelNames: ['policy', 'outcome'],
  })
  for (const policy of ['plain', 'a "quoted" one', 'C:\\temp\\', 'two\nlines', '海带 🌿', '', '{}=,#'])
    calls.labels({ policy, outcome: 'success' }).inc()
  for (let policy = 0; policy < 100; policy++) calls.labels({ policy, outcome: 'failure' }).add(0.1)
  const gauge = registry.gauge({ name: 'resilience_load_ratio', help: 'Load.', labelNames: ['kind'] })
  for (const value of [0, -1.5, 1e21, 1e-7, NaN, Infinity, -Infinity, 2 ** 53]) gauge.labels({ kind: String(value) }).set(value)
  const waits = registry.histogram({ name: 'resilience_wait_seconds', help: 'Wait.', labelNames: ['policy'], exemplars: true })
  for (const policy of ['a', 'b']) for (const value of [0.0001, 0.3, 0.3, 7, 1e5]) waits.labels({ policy }).observe(value, traceId)
  registry.histogram({ name: 'resilience_body_bytes', help: 'Body size.', buckets: [1, 1e3, 1e6, 1e21], min: 1, max: 1e12 }).labels({})
  registry.observeGauge({ name: 'resilience_circuit_state', help: 'State.', labelNames: ['name', 'state'] }, (report) => {
    for (const state of ['closed', 'open']) report(state === 'open' ? 1 : 0, { name: 'payments', state })
  })
  registry.observeCounter({ name: 'resilience_retries_total', help: 'Retries.' }, (report) => report(3))
  return registry
}

describe.each(formats)('36: the page in the format %s', (format) => {
  it('is read by a strict parser: HELP and TYPE once, each series once, the right end', () => {
    const families = parsePage(format, fullRegistry().render(format))
    const suffix = format === 'prometheus' ? '_total' : ''
    expect([...families.keys()]).toEqual([
      `holdfast_metrics_overflow${suffix}`,
      `resilience_calls${suffix}`,
      'resilience_load_ratio',
      'resilience_wait_seconds',
      'resilience_body_bytes',
      'resilience_circuit_state',
      `resilience_retries${suffix}`,
    ])
    expect(families.get(`resilience_calls${suffix}`)?.help).toBe('Calls with "quotes", a \\ and\na second line.')
    expect(families.get('resilience_load_ratio')?.samples.map(({ value }) => value)).toEqual([
      0,
      -1.5,
      1e21,
      1e-7,
      NaN,
      Infinity,
      -Infinity,
      2 ** 53,
    ])
  })

  it('has cumulative buckets that end in +Inf and the count', () => {
    const samples = parsePage(format, fullRegistry().render(format)).get('resilience_wait_seconds')?.samples ?? []
    const ofA = samples.filter(({ labels }) => labels['policy'] === 'a')
    const buckets = ofA.filter(({ name }) => name.endsWith('_bucket'))
    expect(buckets.map(({ value }) => value)).toEqual(buckets.map(({ value }) => value).toSorted((a, b) => a - b))
    expect(buckets.at(-1)).toMatchObject({ labels: { le: '+Inf' }, value: 5 })
    expect(ofA.find(({ name }) => name.endsWith('_count'))?.value).toBe(5)
    expect(buckets.find(({ labels }) => Number(labels['le']) === 0.5)?.value).toBe(3)
  })

  it('37: gives back every label value: quotes, backslashes, newlines and all of Unicode', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ unit: 'binary', maxLength: 60 }).filter(hasNoCredential), { minLength: 1, maxLength: 20 }),
        (values) => {
          const registry = metricsRegistry()
          const gauge = registry.gauge({ name: 'seen', help: 'Seen.', labelNames: ['before', 'value'] })
          values.forEach((value, index) => gauge.labels({ before: '\\', value }).set(index))
          const page = Buffer.from(registry.render(format)).toString()
          expect(
            parsePage(format, page)
              .get('seen')
              ?.samples.map(({ labels }) => labels),
          ).toEqual(values.map((value) => ({ before: '\\', value })))
        },
      ),
    )
  })

  it('37: half surrogate pairs do not make two series one on the wire', () => {
    const registry = metricsRegistry()
    const gauge = registry.gauge({ name: 'seen', help: 'Seen.', labelNames: ['value'] })
    for (const value of ['\uD800', '\uDC00']) gauge.labels({ value }).inc()
    const page = Buffer.from(registry.render(format)).toString()
    expect(parsePage(format, page).get('seen')?.samples).toEqual([{ name: 'seen', labels: { value: '\uFFFD' }, value: 2 }])
  })

  it('42: shows no credential that somebody made a label', () => {
    const registry = metricsRegistry()
    const calls = registry.counter({ name: 'calls_total', help: 'Calls.', labelNames: ['key'] })
    for (const key of ['sk-canary0123456789', 'Bearer canary0123456789', 'postgres://app:canary0123456789@db/x'])
      calls.labels({ key }).inc()
    expect(registry.render(format) + JSON.stringify(registry.snapshot())).not.toContain('canary')
  })

  it('is the same whether made at once or in pieces', async () => {
    const registry = fullRegistry()
    registry.render(format)
    expect(await registry.renderAsync(format)).toBe(registry.render(format))
  })
})

describe('36: OpenMetrics', () => {
  it('has exemplars with trace id, value and time on its buckets; Prometheus text has none', () => {
    const registry = fullRegistry()
    const line = `resilience_wait_seconds_bucket{policy="a",le="10.0"} 4 # {trace_id="${traceId}"} 7 1893456000.000`
    expect(registry.render('openmetrics')).toContain(`${line}\n`)
    expect(registry.render('prometheus')).not.toContain(traceId)
  })

  it('has no exemplar that is no trace id, and none of a metric that did not ask for them', () => {
    const registry = metricsRegistry()
    const plain = registry.histogram({ name: 'plain_seconds', help: 'Plain.' }).labels({})
    const traced = registry.histogram({ name: 'traced_seconds', help: 'Traced.', exemplars: true }).labels({})
    plain.observe(1, traceId)
    for (const id of ['', 'some "text"', 'f'.repeat(65), null, 5, {}]) traced.observe(1, id as never)
    expect(registry.render('openmetrics')).not.toContain('trace_id')
    expect(traced.count).toBe(6)
  })

  it('writes the bounds of buckets with a decimal point', () => {
    const page = fullRegistry().render('openmetrics')
    expect(page).toContain('resilience_body_bytes_bucket{le="1000.0"} 0\n')
    expect(fullRegistry().render('prometheus')).toContain('resilience_body_bytes_bucket{le="1000"} 0\n')
  })
})

describe('36: promtool', () => {
  it('finds nothing wrong with the Prometheus page', () => {
    const promtool = neighbour('promtool')
    const { status, stderr, stdout } = spawnSync(promtool, ['check', 'metrics'], {
      input: fullRegistry().render('prometheus'),
      encoding: 'utf8',
    })
    expect({ status, said: stderr + stdout }).toEqual({ status: 0, said: '' })
  })

  it('does find fault with a page that is wrong', () => {
    const promtool = neighbour('promtool')
    const page = fullRegistry().render('prometheus').replace('# TYPE resilience_load_ratio gauge', '# TYPE resilience_load_ratio counter')
    expect(spawnSync(promtool, ['check', 'metrics'], { input: page, encoding: 'utf8' }).stderr).toMatch(
      /resilience_load_ratio counter metrics should have "_total"/,
    )
  })

  it('reads the OpenMetrics page, exemplars included, and gives the same values back', () => {
    const promtool = neighbour('promtool')
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-openmetrics-'))
    try {
      const page = join(folder, 'page.txt')
      writeFileSync(page, dated(fullRegistry().render('openmetrics')))
      execFileSync(promtool, ['tsdb', 'create-blocks-from', 'openmetrics', page, folder], { stdio: 'pipe' })
      mkdirSync(join(folder, 'wal'))
      const dump = execFileSync(promtool, ['tsdb', 'dump', folder], { encoding: 'utf8' })
      expect(dump).toContain('{__name__="resilience_calls_total", outcome="success", policy="two\\nlines"} 1 ')
      expect(dump).toContain('{__name__="resilience_wait_seconds_bucket", le="0.5", policy="b"} 3 ')
      expect(dump.trim().split('\n')).toHaveLength(samplesIn('openmetrics', fullRegistry().render('openmetrics')))
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

/** promtool imports pages that say when each value was taken. */
function dated(page: string): string {
  return page.replace(/^(?!#)(.*?)( # \{.*)?$/gm, (line, sample: string, exemplar: string | undefined) =>
    line === '' ? '' : `${sample} 1893456000${exemplar ?? ''}`,
  )
}

function samplesIn(format: MetricsFormat, page: string): number {
  return [...parsePage(format, page).values()].reduce((sum, { samples }) => sum + samples.length, 0)
}

function hasNoCredential(text: string): boolean {
  return !/:\/\/|[:=]/.test(text) && !/\w{8}/.test(text)
}
