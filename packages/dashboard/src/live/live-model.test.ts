import type { Delta, DependencyView, EventView, Snapshot } from '@holdfast/server/wire'
import { expect, it } from 'vitest'
import { keptEvents, LiveModel } from './live-model.ts'

const event = (id: number): EventView => ({ id, type: 'circuit.opened', policy: 'circuit-breaker/llm', at: id, data: {} })
const named = (name: string): DependencyView => ({ name }) as DependencyView

function snapshot(over: Partial<Snapshot> = {}): Snapshot {
  const state = { dependencies: { llm: named('llm') }, policies: {} } as unknown as Snapshot['state']
  return { run: 'a', at: 1, resumed: false, state, events: [], ...over }
}

function delta(over: Partial<Delta>): Delta {
  return { at: 2, events: [], ...over }
}

const ids = (model: LiveModel): number[] => model.events.map(({ id }) => id)

it('a delta replaces what it names, drops what is gone, and keeps the rest', () => {
  const model = new LiveModel()
  model.snapshot(snapshot())
  model.delta(delta({ dependencies: { search: named('search') } }))
  expect(Object.keys(model.dependencies)).toEqual(['llm', 'search'])
  model.delta(delta({ gone: { dependencies: ['llm'] } }))
  expect(Object.keys(model.dependencies)).toEqual(['search'])
})

it('S48: a feed that was resumed brings no event twice and leaves no hole', () => {
  const model = new LiveModel()
  model.snapshot(snapshot({ events: [event(1), event(2)] }))
  model.delta(delta({ events: [event(3)] }))
  model.snapshot(snapshot({ resumed: true, events: [event(3), event(4)] }))
  expect(ids(model)).toEqual([1, 2, 3, 4])
})

it('S48: events before a hole are forgotten rather than shown as if nothing were missing', () => {
  const model = new LiveModel()
  model.snapshot(snapshot({ events: [event(1), event(2)] }))
  model.snapshot(snapshot({ events: [event(9), event(10)] }))
  expect(ids(model)).toEqual([9, 10])
})

it('S48: another run of the server is noticed, and its numbers may begin anew', () => {
  const model = new LiveModel()
  expect(model.snapshot(snapshot({ events: [event(70)] }))).toBe(false)
  expect(model.snapshot(snapshot({ run: 'b', events: [event(1)] }))).toBe(true)
  expect(ids(model)).toEqual([1])
})

it('keeps events in bounded number', () => {
  const model = new LiveModel()
  model.snapshot(snapshot({ events: Array.from({ length: 900 }, (_, index) => event(index + 1)) }))
  expect(model.events).toHaveLength(keptEvents)
  expect(model.events.at(-1)?.id).toBe(900)
})

it('S75: a dependency may be named __proto__', () => {
  const model = new LiveModel()
  model.snapshot(snapshot())
  model.delta(JSON.parse('{"at":2,"events":[],"dependencies":{"__proto__":{"name":"__proto__"}}}') as Delta)
  expect(Object.keys(model.dependencies)).toEqual(['llm', '__proto__'])
  expect(model.dependencies['__proto__']).toEqual({ name: '__proto__' })
})
