import { describe, expect, it } from 'vitest'
import { joinEvents, matchingEvents } from './filter-events.ts'

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
})
