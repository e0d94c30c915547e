import { describe, expect, it } from 'vitest'
import { joinEvents, matchingEvents, withLiveEvents } from './filter-events.ts'

const opened = { id: 1, type: 'circuit.opened', policy: 'circuit-breaker/llm', at: 0, data: { reason: { rule: 'manual' } } }
const retried = { id: 2, type: 'retry.scheduled', policy: 'retry/search', at: 0, data: { attempt: 2 } }
const all = [opened, retried]

describe('the filter of events', () => {
  it('searches sentence, type and policy for all words', () => {
    expect(matchingEvents(all, { search: 'llm BY hand', type: '' })).toEqual([opened])
    expect(matchingEvents(all, { search: 'retry/search', type: '' })).toEqual([retried])
    expect(matchingEvents(all, { search: 'llm attempt', type: '' })).toEqual([])
    expect(matchingEvents(all, { search: ' ', type: '' })).toEqual(all)
  })

  it('takes a type or a family of types', () => {
    expect(matchingEvents(all, { search: '', type: 'circuit' })).toEqual([opened])
    expect(matchingEvents(all, { search: '', type: 'circuit.open' })).toEqual([])
    expect(matchingEvents(all, { search: 'search', type: 'retry.scheduled' })).toEqual([retried])
  })

  it('joins older pages with what is known, without doubles', () => {
    expect(joinEvents([opened, retried], [retried])).toEqual(all)
    expect(joinEvents([opened], [])).toEqual([opened])
  })

  it('goes on with live events, and starts anew when some were missed', () => {
    const event = (id: number) => ({ ...opened, id })
    const ids = (events: readonly { id: number }[]) => events.map(({ id }) => id)
    expect(ids(withLiveEvents([event(1), event(2)], [event(2), event(3)], 10))).toEqual([1, 2, 3])
    expect(ids(withLiveEvents([event(1), event(2)], [event(2)], 10))).toEqual([1, 2])
    expect(ids(withLiveEvents([event(1), event(2)], [event(7), event(8)], 10))).toEqual([7, 8])
    expect(ids(withLiveEvents([], [event(7), event(8)], 10))).toEqual([7, 8])
    expect(ids(withLiveEvents([event(1), event(2)], [event(3)], 2))).toEqual([2, 3])
  })
})
