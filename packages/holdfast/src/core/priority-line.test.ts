import fc from 'fast-check'
import { expect, it } from 'vitest'
import { priorities, PrioritisedWaiter, PriorityLine } from './priority-line.ts'
import type { Priority } from './call.ts'

class Guest extends PrioritisedWaiter {
  readonly id: number

  constructor(id: number, priority: Priority) {
    super(priority)
    this.id = id
  }

  cancel(): void {}
  expire(): void {}
}

const priority = fc.constantFrom(...priorities)

it('serves and turns away as a sorted array does, under any joining and leaving', () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ join: priority }),
      fc.record({ leave: fc.nat(30) }),
      fc.record({ turnAwayFor: priority }),
      fc.constant({ serve: true as const }),
    ),
    { maxLength: 150, size: 'max' },
  )
  fc.assert(
    fc.property(steps, (script) => {
      const line = new PriorityLine<Guest>()
      const all: Guest[] = []
      let model: Guest[] = []
      for (const step of script) {
        if ('join' in step) {
          const guest = new Guest(all.length, step.join)
          all.push(guest)
          model.push(guest)
          line.push(guest)
        } else if ('leave' in step) {
          const guest = all[step.leave]
          if (guest !== undefined) line.remove(guest)
          model = model.filter((other) => other !== guest)
        } else if ('turnAwayFor' in step) {
          const lower = inTurn(model.filter((guest) => priorities.indexOf(guest.priority) < priorities.indexOf(step.turnAwayFor)))
          expect(line.lastBelow(step.turnAwayFor)).toBe(lower.at(-1))
        } else {
          const next = inTurn(model)[0]
          expect(line.shift()).toBe(next)
          model = model.filter((other) => other !== next)
        }
        expect(line.first).toBe(inTurn(model)[0])
        expect(line.length).toBe(model.length)
      }
    }),
  )
})

/** Higher priorities first; within one, those who came first. */
function inTurn(guests: readonly Guest[]): Guest[] {
  return guests.toSorted((a, b) => priorities.indexOf(b.priority) - priorities.indexOf(a.priority) || a.id - b.id)
}
