import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventQueue, SimulatedEvent } from './event-queue.ts'

class Marker extends SimulatedEvent {
  readonly name: number
  constructor(name: number) {
    super()
    this.name = name
  }
  fire(): void {
    // only its place in the queue matters
  }
}

describe('event queue', () => {
  it('hands events out by time, and in the order of scheduling within one instant, whatever was moved or removed before', () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('schedule' as const), event: fc.nat(40), at: fc.nat(20) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), event: fc.nat(40), at: fc.constant(0) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('next' as const), event: fc.constant(0), at: fc.constant(0) }) },
    )
    fc.assert(
      fc.property(fc.array(step, { size: 'max', maxLength: 400 }), (steps) => {
        const queue = new EventQueue()
        const events = Array.from({ length: 41 }, (_, name) => new Marker(name))
        let model: { name: number; at: number; order: number }[] = []
        const firstOf = (): number | undefined => model.toSorted((a, b) => a.at - b.at || a.order - b.order)[0]?.name
        for (const [order, { kind, event, at }] of steps.entries()) {
          if (kind === 'next') {
            const expected = firstOf()
            expect((queue.next() as Marker | undefined)?.name).toBe(expected)
            model = model.filter(({ name }) => name !== expected)
            continue
          }
          model = model.filter(({ name }) => name !== event)
          if (kind === 'remove') queue.remove(events[event]!)
          else {
            queue.schedule(events[event]!, at)
            model.push({ name: event, at, order })
          }
          expect(queue.size).toBe(model.length)
        }
        while (queue.size > 0) {
          const expected = firstOf()
          expect((queue.next() as Marker).name).toBe(expected)
          model = model.filter(({ name }) => name !== expected)
        }
      }),
      { numRuns: 200 },
    )
  })
})
