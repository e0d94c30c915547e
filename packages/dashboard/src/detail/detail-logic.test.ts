import type { DependencyHistory, DependencyView, PolicyView } from '@holdfast/server/wire'
import { describe, expect, it } from 'vitest'
import { blastRadius } from './blast-radius.ts'
import { attemptSeries, placesLimits, timeoutLimits } from './dependency-series.ts'
import { policyFigures } from './policy-figures.ts'
import { upToPresent } from './present-state.ts'

function reach(
  name: string,
  callsPerSecond: number,
  policies: readonly string[] = [],
): Pick<DependencyView, 'name' | 'recent' | 'policies'> {
  return { name, policies, recent: { callsPerSecond, successRatio: null, p50Ms: null, p95Ms: null, p99Ms: null } }
}

function policy(id: string, status: PolicyView['status']): PolicyView {
  const [kind = '', name = ''] = id.split('/')
  return {
    id,
    name,
    kind,
    state: 'closed',
    since: null,
    forced: null,
    health: { status: 'pass', reason: null },
    status,
    dependencies: [],
    actions: [],
  }
}

describe('the blast radius of an action', () => {
  const llm = { name: 'llm' }

  it.each([
    ['force-open', [reach('llm', 12.34)], 'All calls to llm will be refused; 12 calls/s now.'],
    ['isolate', [reach('llm', 0.42)], 'All calls to llm will be refused, and no probe is let through; 0.4 calls/s now.'],
    ['disable', [reach('llm', 0)], 'Calls to llm will pass without this circuit breaker, however many fail; no calls now.'],
    [
      'close',
      [reach('a', 1), reach('b', 2)],
      'Calls to a and b will pass at once, whether the dependency has recovered or not; 3 calls/s now.',
    ],
    ['reset', [], 'The figures of this circuit breaker are cleared and it closes: calls through llm pass at once.'],
    ['something-new', [reach('llm', 5)], 'This changes calls to llm; 5 calls/s now.'],
  ])('%s', (action, dependencies, expected) => {
    expect(blastRadius(action, llm, dependencies)).toBe(expected)
  })

  it('says when a fallback answers instead', () => {
    expect(blastRadius('force-open', llm, [reach('llm', 12, ['fallback/sorry', 'circuit-breaker/llm'])])).toBe(
      'All calls to llm will be refused and answered by the fallback; 12 calls/s now.',
    )
  })

  it('does not list a hundred dependencies', () => {
    const many = Array.from({ length: 100 }, (_, index) => reach(`d${index}`, 1))
    expect(blastRadius('force-open', llm, many)).toBe('All calls to d0, d1 and 98 more dependencies will be refused; 100 calls/s now.')
  })
})

describe('the figures of a policy', () => {
  it('reads a circuit breaker', () => {
    const status = {
      failures: 12,
      calls: 20,
      failureRate: 0.6,
      slowCallRate: null,
      probes: null,
      refusedTotal: 1_204,
      openedTotal: 3,
      mode: 'enforce',
    }
    expect(policyFigures({ kind: 'circuit-breaker', status })).toEqual([
      { label: 'failed in the window', value: '12 of 20 (60.0 %)' },
      { label: 'refused', value: '1,204' },
      { label: 'opened', value: '3 ×' },
    ])
  })

  it('reads a bulkhead with its limits', () => {
    const status = { running: 4, maxConcurrent: 10, queued: 0, maxQueued: 20, admitted: 99, rejected: 1, averageRunMs: null }
    expect(policyFigures({ kind: 'bulkhead', status }).slice(0, 2)).toEqual([
      { label: 'running', value: '4 of 10' },
      { label: 'waiting', value: '0 of 20' },
    ])
  })

  it('shows the numbers of a kind it does not know, and survives a status without any', () => {
    expect(policyFigures({ kind: 'custom', status: { seen: 1_234, name: 'x' } })).toEqual([{ label: 'seen', value: '1,234' }])
    expect(policyFigures({ kind: 'timeout', status: {} }).map(({ value }) => value)).toEqual(['–', '–', '–'])
  })
})

describe('the charts of a dependency', () => {
  const pipeline = [
    policy('timeout/total', { afterMs: 30_000 }),
    policy('retry/standard', {}),
    policy('bulkhead/llm', { maxConcurrent: 10, maxQueued: 0 }),
    policy('timeout/attempt', { afterMs: 8_000 }),
  ]

  it('draws a timeout before the retry as the total, one behind it as that of an attempt', () => {
    expect(timeoutLimits(pipeline)).toEqual([
      { label: 'total timeout', value: 30_000 },
      { label: 'attempt timeout', value: 8_000 },
    ])
    expect(timeoutLimits([policy('timeout/only', { afterMs: 500 })])).toEqual([{ label: 'timeout', value: 500 }])
  })

  it('draws the places of a bulkhead, and no queue where there is none', () => {
    expect(placesLimits(pipeline)).toEqual([{ label: 'maxConcurrent', value: 10 }])
  })

  it('names the seats as those of the bulkhead when calls may wait elsewhere too', () => {
    const [limiter, seats] = [policy('rate-limiter/llm', {}), policy('bulkhead/llm', { maxConcurrent: 2, maxQueued: 5 })]
    expect(placesLimits([seats]).map(({ label }) => label)).toEqual(['maxConcurrent', 'maxQueued'])
    expect(placesLimits([limiter, seats]).map(({ label }) => label)).toEqual(['maxConcurrent', "bulkhead's maxQueued"])
  })

  it('shows attempts per second by outcome, with gaps where nothing was recorded', () => {
    const columns = { attempts: [50, null], attemptFailures: [20, null], refused: [5, null] } as unknown as DependencyHistory['columns']
    expect(attemptSeries({ columns, stepMs: 5_000 }).map(({ label, values }) => [label, values])).toEqual([
      ['answered', [6, null]],
      ['failed', [4, null]],
      ['refused, not sent', [1, null]],
    ])
  })
})

describe('states up to the present', () => {
  const closed = { from: 100, to: null, state: 'closed', forced: false } as const

  it('ends the last stretch where the live state began', () => {
    expect(upToPresent([closed], { state: 'open', since: 160, forced: null })).toEqual([
      { ...closed, to: 160 },
      { from: 160, to: null, state: 'open', forced: false },
    ])
  })

  it('leaves what says the same, and what is newer than the live state', () => {
    expect(upToPresent([closed], { state: 'closed', since: 100, forced: null })).toEqual([closed])
    expect(upToPresent([closed], { state: 'open', since: 90, forced: null })).toEqual([closed])
    expect(upToPresent([], { state: 'open', since: 90, forced: null })).toEqual([])
  })
})
