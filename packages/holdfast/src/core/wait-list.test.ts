import fc from 'fast-check'
import { expect, it } from 'vitest'
import { DeadlineList } from './deadline-list.ts'
import { fakeClock } from './fake-clock.ts'
import { QueuedWaiter, WaitList } from './wait-list.ts'

class Guest extends QueuedWaiter {
  readonly id: number
  readonly line: WaitList<Guest>
  expired = false

  constructor(id: number, line: WaitList<Guest>) {
    super()
    this.id = id
    this.line = line
  }

  cancel(): void {
    this.line.remove(this)
  }

  expire(): void {
    this.expired = true
    this.line.remove(this)
  }
}

function idsIn(line: WaitList<Guest>): number[] {
  const ids: number[] = []
  for (let guest = line.first; guest !== undefined; guest = guest.after) ids.push(guest.id)
  return ids
}

it('keeps the order of an array under any joining and leaving, from both ends and the middle', () => {
  const steps = fc.array(fc.oneof(fc.constant('push' as const), fc.constant('shift' as const), fc.nat(30)), { maxLength: 200, size: 'max' })
  fc.assert(
    fc.property(steps, (script) => {
      const line = new WaitList<Guest>()
      const all: Guest[] = []
      let model: Guest[] = []
      for (const step of script) {
        if (step === 'push') {
          const guest = new Guest(all.length, line)
          all.push(guest)
          model.push(guest)
          line.push(guest)
        } else if (step === 'shift') {
          expect(line.shift()).toBe(model.shift())
        } else {
          const guest = all[step]
          guest?.cancel()
          model = model.filter((other) => other !== guest)
        }
        expect(idsIn(line)).toEqual(model.map(({ id }) => id))
        expect(line.length).toBe(model.length)
        expect(all.filter(({ inLine }) => inLine)).toEqual(model)
      }
    }),
  )
})

it('watches the wait of those who have a longest one, and no longer than they wait', async () => {
  const clock = fakeClock()
  const line = new WaitList<Guest>()
  const deadlines = new DeadlineList(clock, 100)
  const [patient, leaving, expiring] = [0, 1, 2].map((id) => new Guest(id, line)) as [Guest, Guest, Guest]
  line.push(patient)
  line.push(leaving, deadlines, clock.now())
  line.push(expiring, deadlines, clock.now())
  leaving.cancel()
  await clock.advance(100)
  expect([patient, leaving, expiring].map(({ expired }) => expired)).toEqual([false, false, true])
  expect(idsIn(line)).toEqual([0])
  expect(clock.timers).toEqual([])
})

it('leaves no link behind in one who has left', () => {
  const line = new WaitList<Guest>()
  const guests = [0, 1, 2].map((id) => new Guest(id, line))
  for (const guest of guests) line.push(guest)
  guests[1]?.cancel()
  guests[1]?.cancel()
  expect(guests[1]).toMatchObject({ before: undefined, after: undefined, inLine: false })
  expect(line.length).toBe(2)
})
