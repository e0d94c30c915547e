import { expect, it } from 'vitest'
import { metricsRegistry, type MetricsRegistry } from './registry.ts'

function tenThousandSeries(): MetricsRegistry {
  const registry = metricsRegistry({ maxSeries: 10_000 })
  const calls = registry.counter({ name: 'calls_total', help: 'Calls.', labelNames: ['policy', 'outcome'] })
  for (let policy = 0; policy < 2_000; policy++) {
    for (const outcome of ['success', 'failure', 'refused']) calls.labels({ policy: `policy-${policy}`, outcome }).add(policy * 1.1)
  }
  const waits = registry.histogram({ name: 'wait_seconds', help: 'Wait.', labelNames: ['policy'] })
  for (let policy = 0; policy < 120; policy++) waits.labels({ policy: `policy-${policy}` }).observe(policy / 10)
  for (let policy = 0; policy < 2_000; policy++) {
    registry.observeGauge({ name: 'running', help: 'Running.', labelNames: ['policy'] }, (report) => report(policy, { policy }))
  }
  return registry
}

/**
 * Renders while the event loop turns: how often it came around, and the longest time it was kept busy, in ms. That is time of
 * the processor: a machine that does something else in between says nothing about the scrape.
 */
async function renderWatched(registry: MetricsRegistry): Promise<{ page: string; turns: number; longestMs: number }> {
  let turns = 0
  let longestMs = 0
  let last = busyMs()
  let rendering = true
  const turn = (): void => {
    const now = busyMs()
    longestMs = Math.max(longestMs, now - last)
    last = now
    turns++
    if (rendering) setImmediate(turn)
  }
  setImmediate(turn)
  const page = await registry.renderAsync('openmetrics')
  rendering = false
  return { page, turns, longestMs }
}

function busyMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

it('40: a scrape of 10k series lets everything else run after each 250 series, or 16 KiB and a series, or 20 collectors', async () => {
  const registry = tenThousandSeries()
  const { page, turns } = await renderWatched(registry)
  expect(page.split('\n').length).toBeGreaterThan(10_000)
  expect(page.endsWith('# EOF\n')).toBe(true)
  expect(turns).toBeGreaterThan(page.length / (16_384 + 2_048))
})

it('40: a scrape of 10k series does not block the loop for more than 20 ms', async () => {
  const registry = tenThousandSeries()
  let longestMs = Infinity
  for (let scrape = 0; scrape < 10 && longestMs >= 20; scrape++) longestMs = Math.min(longestMs, (await renderWatched(registry)).longestMs)
  expect(longestMs).toBeLessThan(20)
})

it('40: a page made in pieces survives series that come and go in between', async () => {
  const registry = tenThousandSeries()
  const calls = registry.counter({ name: 'calls_total', help: 'Calls.', labelNames: ['policy', 'outcome'] })
  const rendering = registry.renderAsync()
  for (let policy = 0; policy < 2_000; policy += 2) {
    await new Promise(setImmediate)
    calls.remove({ policy: `policy-${policy}`, outcome: 'success' })
    calls.labels({ policy: `late-${policy}`, outcome: 'success' })
    if (policy > 40) break
  }
  const lines = (await rendering).split('\n')
  expect(new Set(lines).size).toBe(lines.length)
  expect(lines).toContain('calls_total{policy="policy-1999",outcome="refused"} 2198.9')
})
