import type { ConfigView, DependencyView } from '@holdfast/server/wire'
import { describe, expect, it } from 'vitest'
import { shortTimeText } from '../words/time-text.ts'
import { dependencyView } from './dependency.fixture.ts'
import { situationOf, type KnownTrouble, type Part } from './situation.ts'

const now = Date.UTC(2026, 2, 12, 14, 20)
const failingSince = now - 240_000

function tell(dependencies: readonly DependencyView[], known: KnownTrouble | null = null, config: ConfigView | null = null) {
  const { tone, parts, asides } = situationOf({ dependencies, server: null, config, now, known, sinceOf: ({ since }) => since })
  return { tone, text: textOf(parts), asides: textOf(asides) }
}

function textOf(parts: readonly Part[]): string {
  return parts.map((part) => (typeof part === 'string' ? part : part.dependency)).join('')
}

const open = dependencyView({ state: 'open', since: now - 38_000, nextAttemptAt: now + 12_000 })

describe('the situation in a sentence', () => {
  it('names what fails, since when, what Holdfast did, and what comes next', () => {
    const { tone, text } = tell([open], { failingSince, errorRatio: 0.414, refused: 1_204, fallback: 0 })
    expect(tone).toBe('trouble')
    expect(text).toBe(
      `llm is failing (41 % errors since ${shortTimeText(failingSince)}); Holdfast opened its circuit 38 s ago, 1,204 calls were refused, next probe in 12 s.`,
    )
  })

  it('says what answered in place of the dependency, and nothing that it does not know', () => {
    expect(tell([open], { failingSince: null, errorRatio: null, refused: 3, fallback: 1_204 }).text).toContain(
      '38 s ago, 1,204 calls were answered by fallback and 3 refused, next',
    )
    expect(tell([open], { failingSince: null, errorRatio: null, refused: 1, fallback: 0 }).text).toContain(', 1 call was refused,')
    expect(tell([open]).text).toBe('llm is failing; Holdfast opened its circuit 38 s ago, next probe in 12 s.')
  })

  it('of several names the first to fail, then who followed, and counts the rest', () => {
    const others = ['search', 'orders', 'mail'].map((name, index) => dependencyView({ name, state: 'open', since: now - 20_000 + index }))
    const { text } = tell([...others, dependencyView({ name: 'well' }), open])
    expect(text).toMatch(/^4 of 5 dependencies are in trouble\. First, llm is failing;/)
    expect(text).toMatch(/Then search \(open, since \d\d:\d\d\), orders \(open, since \d\d:\d\d\) and 1 more\.$/)
  })

  it('when all is well says how it knows', () => {
    expect(tell([dependencyView(), dependencyView({ name: 'search' })])).toEqual({
      tone: 'calm',
      text: 'All 2 dependencies take calls: 20 calls/s in the last minute, 100 % of them answered well.',
      asides: '',
    })
    const idle = dependencyView({ recent: { callsPerSecond: 0, successRatio: null, p50Ms: null, p95Ms: null, p99Ms: null } })
    expect(tell([idle]).text).toBe('The one dependency takes calls; none came in the last minute.')
  })

  it('a dependency that fails behind a closed circuit is told too', () => {
    const recent = { callsPerSecond: 4, successRatio: 0.75, p50Ms: 1, p95Ms: 1, p99Ms: 1 }
    expect(tell([dependencyView({ recent })]).text).toBe('llm failed 25 % of its calls in the last minute; its circuit is still closed.')
  })

  it('a pause tells how long it lasts', () => {
    const paused = dependencyView({ state: 'paused', since: now - 20_000, pausedUntil: now + 32_000 })
    expect(tell([paused]).text).toBe('llm asked for a pause (429) 20 s ago; calls wait or are refused for another 32 s.')
  })
})

it('what people did, and a refused configuration, stand beside the situation', () => {
  const forced = { action: 'isolate', reason: 'INC-4127', by: 'anna', at: 0, expiresAt: now + 60_000 } as const
  const silence = { reason: 'known', by: 'ben', at: 0, expiresAt: now + 120_000 }
  const config = { lastReload: { ok: false, problems: [{}, {}] } } as unknown as ConfigView
  const { tone, asides } = tell([dependencyView({ state: 'isolated', forced }), dependencyView({ name: 'search', silence })], null, config)
  expect(tone).toBe('calm')
  expect(asides).toBe(
    'By hand: llm isolated by anna (1 min left). Silenced: search by ben (2 min left). The configuration on disk was refused (2 problems); the earlier one goes on. ',
  )
})
