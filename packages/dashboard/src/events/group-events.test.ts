import type { EventView } from '@holdfast/server/wire'
import { describe, expect, it } from 'vitest'
import { groupEvents } from './group-events.ts'

function event(id: number, type: string, policy = 'retry/llm', at = id * 1_000): EventView {
  return { id, type, policy, at, data: {} }
}

function shown(events: readonly EventView[]): string[] {
  return groupEvents(events).map(({ latest, count }) => `${latest.type} ${latest.policy} × ${count}`)
}

describe('groups of events', () => {
  it('makes one line of what repeats with every call, also when two things repeat by turns', () => {
    expect(
      shown([
        event(1, 'retry.scheduled'),
        event(2, 'fallback.used'),
        event(3, 'retry.scheduled'),
        event(4, 'fallback.used'),
        event(5, 'retry.scheduled'),
      ]),
    ).toEqual(['retry.scheduled retry/llm × 3', 'fallback.used retry/llm × 2'])
  })

  it('keeps policies apart', () => {
    expect(shown([event(1, 'retry.scheduled', 'retry/a'), event(2, 'retry.scheduled', 'retry/b')])).toHaveLength(2)
  })

  it('tells of many policies that are new at once as one', () => {
    expect(shown([event(1, 'system.policy-registered', 'retry/a', 0), event(2, 'system.policy-registered', 'timeout/b', 0)])).toEqual([
      'system.policy-registered timeout/b × 2',
    ])
  })

  it('never groups changes, and lets no group reach across one', () => {
    expect(
      shown([
        event(1, 'retry.scheduled'),
        event(2, 'circuit.opened', 'circuit-breaker/llm'),
        event(3, 'circuit.opened', 'circuit-breaker/llm'),
        event(4, 'retry.scheduled'),
      ]),
    ).toEqual([
      'retry.scheduled retry/llm × 1',
      'circuit.opened circuit-breaker/llm × 1',
      'circuit.opened circuit-breaker/llm × 1',
      'retry.scheduled retry/llm × 1',
    ])
  })

  it('starts a new line after half a minute of silence', () => {
    expect(shown([event(1, 'timeout.fired', 'timeout/llm', 0), event(2, 'timeout.fired', 'timeout/llm', 30_001)])).toHaveLength(2)
  })

  it('keeps the key of a line while events join it', () => {
    const [line] = groupEvents([event(7, 'retry.scheduled'), event(8, 'retry.scheduled')])
    expect(line).toMatchObject({ key: 7, count: 2, firstAt: 7_000, latest: { id: 8 } })
  })
})
