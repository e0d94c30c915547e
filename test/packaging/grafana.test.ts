import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { idempotencyManager, metricsRegistry } from 'holdfast'
import { exposeMetrics, faultTolerantSystem } from 'holdfast/system'
import { describe, expect, it } from 'vitest'
import { root } from '../../tools/workspace.mjs'

interface Panel {
  readonly id: number
  readonly title: string
  readonly description: string
  readonly datasource: { readonly uid: string }
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly fieldConfig: { readonly defaults: { readonly unit: string } }
  readonly targets: readonly { readonly refId: string; readonly expr: string; readonly legendFormat: string }[]
}

const board = JSON.parse(readFileSync(join(root, 'packaging/grafana/holdfast-patterns.json'), 'utf8')) as {
  readonly uid: string
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly { readonly name: string }[] }
}

/** The metrics of a system that has a policy of every kind, with the labels of each. */
async function metricsShown(): Promise<ReadonlyMap<string, readonly string[]>> {
  const system = faultTolerantSystem()
  await system.createCircuitBreaker('x').execute(() => 1) // it has a share of failures only after a call
  system.createRetry('x')
  system.createTimeout('x', { after: '1s' })
  system.createBulkhead('x', { maxConcurrent: 1 })
  system.createRateLimiter('x', { limit: 1, window: '1s' })
  system.createFallback('x', { value: 1 })
  system.createHedge('x', { delay: 1 })
  system.createCache('x', { ttl: 1 })
  system.createThrottler('x', { maxConcurrent: 1 })
  system.createLoadShedder('x', { capacity: 1 })
  system.createAdaptiveConcurrency('x')
  system.register(idempotencyManager({ name: 'x' }).policy({ name: 'x' }))
  const registry = metricsRegistry()
  exposeMetrics(system, registry)
  const shown = new Map<string, readonly string[]>(
    registry.snapshot().map(({ name, series }) => [name, Object.keys(series[0]?.labels ?? {})]),
  )
  system.dispose()
  return shown
}

describe('the Grafana board', () => {
  it('asks only for metrics that there are, by labels that they have', async () => {
    const shown = await metricsShown()
    for (const { title, targets } of board.panels) {
      for (const { expr, legendFormat } of targets) {
        const names = [...expr.matchAll(/resilience_[a-z_]+/g)].map(([name]) => name)
        expect([title, names.length > 0, names.filter((name) => !shown.has(name))]).toEqual([title, true, []])
        const labels = new Set(names.flatMap((name) => shown.get(name) ?? []))
        const asked = [...expr.matchAll(/(?:[{,]|by \(|, )(\w+)(?==~?"|[,)])/g), ...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(
          ([, label = '']) => label,
        )
        expect([title, asked.filter((label) => !labels.has(label))]).toEqual([title, []])
      }
    }
  })

  it('shows every metric of the patterns but those that only explain others', async () => {
    const asked = new Set(board.panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => expr.match(/resilience_[a-z_]+/g) ?? [])))
    const left = [...(await metricsShown()).keys()].filter((name) => name.startsWith('resilience_') && !asked.has(name))
    expect(left.toSorted()).toEqual([
      'resilience_cache_entries',
      'resilience_circuitbreaker_state',
      'resilience_hedge_calls_total',
      'resilience_loadshedder_admitted_total',
      'resilience_loadshedder_shedding',
      'resilience_retry_calls_total',
      'resilience_throttler_running',
    ])
  })

  it('has panels that stand beside each other, say what they show and in which unit, and take the data source that is chosen', () => {
    const taken = new Set<string>()
    for (const { id, title, description, datasource, fieldConfig, gridPos, targets } of board.panels) {
      expect([title, description !== '', fieldConfig.defaults.unit !== '', datasource.uid]).toEqual([title, true, true, '${datasource}'])
      expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect([title, x < 24, taken.has(`${x} ${y}`)]).toEqual([title, true, false])
          taken.add(`${x} ${y}`)
        }
      expect(id).toBeGreaterThan(0)
    }
    expect(new Set(board.panels.map(({ id }) => id)).size).toBe(board.panels.length)
    expect(board.templating.list.map(({ name }) => name)).toEqual(['datasource', 'policy'])
  })
})
