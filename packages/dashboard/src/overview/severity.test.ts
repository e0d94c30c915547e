import { describe, expect, it } from 'vitest'
import { dependencyView } from './dependency.fixture.ts'
import { isInTrouble, shownOrder, worstFirst } from './severity.ts'

const recent = (successRatio: number) => ({ callsPerSecond: 10, successRatio, p50Ms: 1, p95Ms: 1, p99Ms: 1 })
const silence = { reason: 'known', by: 'anna', at: 0, expiresAt: 9 }
const forced = { action: 'isolate', reason: 'drill', by: 'anna', at: 0, expiresAt: null } as const

function order(...dependencies: readonly ReturnType<typeof dependencyView>[]): string[] {
  return worstFirst(dependencies, ({ since }) => since).map(({ name }) => name)
}

describe('worst first', () => {
  it('open before half-open before failing before paused before what does well', () => {
    const all = [
      dependencyView({ name: 'well' }),
      dependencyView({ name: 'paused', state: 'paused' }),
      dependencyView({ name: 'failing', recent: recent(0.5) }),
      dependencyView({ name: 'open', state: 'open' }),
      dependencyView({ name: 'half-open', state: 'half-open' }),
    ]
    expect(order(...all)).toEqual(['open', 'half-open', 'failing', 'paused', 'well'])
  })

  it('among those in equal trouble the first to fail stands first: it may be the cause', () => {
    expect(order(dependencyView({ name: 'a', state: 'open', since: 20 }), dependencyView({ name: 'b', state: 'open', since: 10 }))).toEqual(
      ['b', 'a'],
    )
  })

  it('those that do well stand by name, numbers as numbers', () => {
    expect(order(dependencyView({ name: 's-10', since: 1 }), dependencyView({ name: 's-9', since: 2 }))).toEqual(['s-9', 's-10'])
  })

  it('what somebody silenced or set by hand is no trouble', () => {
    expect(isInTrouble(dependencyView({ state: 'open' }))).toBe(true)
    expect(isInTrouble(dependencyView({ state: 'open', silence }))).toBe(false)
    expect(isInTrouble(dependencyView({ state: 'isolated', forced }))).toBe(false)
  })
})

describe('the order that is shown', () => {
  it('stays while it is held, but for what comes and goes', () => {
    expect(shownOrder(['a', 'b', 'c'], ['c', 'd', 'a'], true)).toEqual(['a', 'c', 'd'])
  })

  it('follows when it is not held, and is the same object when nothing has moved', () => {
    const shown = ['a', 'b']
    expect(shownOrder(shown, ['b', 'a'], false)).toEqual(['b', 'a'])
    expect(shownOrder(shown, ['a', 'b'], false)).toBe(shown)
  })
})
