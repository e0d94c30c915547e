import type { PolicyView } from '@holdfast/server/wire'
import { describe, expect, it } from 'vitest'
import { bulkChoice } from './bulk-choice.ts'
import { matchingPolicies, sortedPolicies } from './policy-order.ts'

function policy(name: string, over: Partial<PolicyView> = {}): PolicyView {
  const kind = over.kind ?? 'circuit-breaker'
  const health = { status: 'pass', reason: null } as const
  return {
    id: `${kind}/${name}`,
    name,
    kind,
    state: 'closed',
    since: 0,
    forced: null,
    health,
    status: {},
    dependencies: [],
    actions: [],
    ...over,
  }
}

describe('the filter', () => {
  const all = [
    policy('llm', { state: 'open', dependencies: ['gpt'] }),
    policy('search', { kind: 'rate-limiter' }),
    policy('orders', { dependencies: ['warehouse'] }),
  ]
  it.each([
    ['', ['llm', 'search', 'orders']],
    ['SEARCH', ['search']],
    ['open', ['llm']],
    ['rate limiter', ['search']],
    ['rate-limiter', ['search']],
    ['warehouse', ['orders']],
    ['breaker gpt', ['llm']],
    ['nothing', []],
  ])('%j finds %j', (search, names) => {
    expect(matchingPolicies(all, search).map(({ name }) => name)).toEqual(names)
  })
})

describe('the order', () => {
  const all = [policy('b', { state: 'open', since: 5 }), policy('c'), policy('a', { since: 9 }), policy('d', { state: 'half-open' })]
  it.each([
    ['state', false, ['b', 'd', 'a', 'c']],
    ['state', true, ['a', 'c', 'd', 'b']],
    ['name', false, ['a', 'b', 'c', 'd']],
    ['name', true, ['d', 'c', 'b', 'a']],
    ['since', false, ['a', 'b', 'c', 'd']],
  ] as const)('by %s, descending %s', (column, isDescending, names) => {
    expect(sortedPolicies(all, { column, isDescending }).map(({ name }) => name)).toEqual(names)
  })
})

describe('S51: actions for many', () => {
  const shown = [
    policy('llm', { actions: ['isolate', 'close'] }),
    policy('search', { actions: ['isolate'] }),
    policy('orders', { kind: 'retry' }),
  ]

  it('are for all that is shown when nothing is selected, and count those that take them', () => {
    expect(bulkChoice(shown, new Set())).toEqual({
      count: 3,
      changeable: 2,
      isPicked: false,
      actions: [
        { action: 'isolate', ids: ['circuit-breaker/llm', 'circuit-breaker/search'] },
        { action: 'close', ids: ['circuit-breaker/llm'] },
      ],
    })
  })

  it('are for the selected ones among those shown, not for what the filter hides', () => {
    const choice = bulkChoice(shown, new Set(['circuit-breaker/search', 'circuit-breaker/hidden']))
    expect(choice).toMatchObject({ count: 1, isPicked: true, actions: [{ action: 'isolate', ids: ['circuit-breaker/search'] }] })
  })

  it('are for no more than the server takes at once', () => {
    const many = Array.from({ length: 1_500 }, (_, index) => policy(`p${index}`, { actions: ['isolate'] }))
    expect(bulkChoice(many, new Set()).changeable).toBe(1_000)
  })
})
