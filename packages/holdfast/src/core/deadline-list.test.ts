import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { maxTimerMs } from './clock.ts'
import { DeadlineList, type DeadlineNode } from './deadline-list.ts'
import { fakeClock, type FakeClock } from './fake-clock.ts'
import { recordingClock } from './recording-clock.fixture.ts'

class Node implements DeadlineNode {
  dueAt = 0
  previous: DeadlineNode | undefined = undefined
  next: DeadlineNode | undefined = undefined
  listed = false
  readonly expire: () => void
  constructor(expire: () => void = () => undefined) {
    this.expire = expire
  }
}

const refs = (clock: FakeClock): boolean[] => clock.timers.map(({ ref }) => ref)

describe('agrees with a plain list', () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.constant({ add: true }) },
    { weight: 2, arbitrary: fc.record({ remove: fc.nat() }) },
    { weight: 3, arbitrary: fc.record({ advance: fc.nat(60) }) },
    { weight: 1, arbitrary: fc.record({ clear: fc.constant(true) }) },
  )

  it.each([0, 0.7])('over random steps, with timers that fire %d ms early', (earlyMs) => {
    const property = fc.property(fc.array(step, { maxLength: 120 }), fc.double({ min: 0.5, max: 80, noNaN: true }), (steps, durationMs) => {
      const clock = recordingClock({ startMs: 0.25, earlyMs })
      const list = new DeadlineList(clock, durationMs)
      const expired: Node[] = []
      let waiting: Node[] = []
      for (const each of steps) {
        if ('add' in each) {
          const node: Node = new Node(() => {
            expect(clock.now()).toBeGreaterThanOrEqual(node.dueAt)
            expect(node.listed).toBe(false)
            expired.push(node)
          })
          list.add(node, clock.now())
          expect(node.dueAt).toBe(clock.now() + durationMs)
          waiting.push(node)
        } else if ('remove' in each) {
          const [node] = waiting.splice(each.remove % Math.max(1, waiting.length), 1)
          if (node !== undefined) {
            list.remove(node)
            list.remove(node)
          }
        } else if ('clear' in each) {
          list.clear()
          waiting = []
          expect(clock.timers).toEqual([])
        } else {
          clock.tick(each.advance)
          const heard = expired.splice(0)
          const due = waiting.filter(({ dueAt }) => dueAt + 2 <= clock.now())
          expect(heard.slice(0, due.length)).toEqual(due) // in order, and less than two milliseconds late
          expect(waiting.slice(0, heard.length)).toEqual(heard)
          waiting = waiting.slice(heard.length)
        }
        expect(clock.timers.length).toBeLessThanOrEqual(1)
        expect(refs(clock).includes(true)).toBe(waiting.length > 0)
      }
    })
    fc.assert(property, { seed: 21, numRuns: 300 })
  })
})

describe('its timer', () => {
  it('is unref’d when nobody waits any more, ref’d for the next who does, and gone once it has fired in vain', () => {
    const clock = fakeClock()
    const list = new DeadlineList(clock, 100)
    const [one, other] = [new Node(), new Node()]
    list.add(one, clock.now())
    expect(clock.timers).toEqual([{ dueAt: 100, ref: true }])
    list.remove(one)
    expect(clock.timers).toEqual([{ dueAt: 100, ref: false }])
    clock.tick(60)
    list.add(other, clock.now())
    expect(clock.timers).toEqual([{ dueAt: 100, ref: true }])
    clock.tick(40)
    expect(clock.timers).toEqual([{ dueAt: 160, ref: true }])
    list.remove(other)
    clock.tick(60)
    expect(clock.timers).toEqual([])
  })

  it('is never set for longer than setTimeout keeps, and set again until the instant has come', () => {
    const clock = recordingClock()
    const durationMs = 2.5 * maxTimerMs
    const list = new DeadlineList(clock, durationMs)
    let expiredAt: number | undefined
    list.add(new Node(() => (expiredAt = clock.now())), clock.now())
    clock.tick(3 * maxTimerMs)
    expect(expiredAt).toBe(Math.ceil(durationMs))
    expect(Math.max(...clock.delays)).toBe(maxTimerMs)
    expect(clock.delays.length).toBe(3)
  })

  it('is not set where nothing ever expires', () => {
    const clock = fakeClock()
    const list = new DeadlineList(clock, Infinity)
    const node = new Node()
    list.add(node, clock.now())
    expect(clock.timers).toEqual([])
    list.remove(node)
    expect(node.listed).toBe(false)
  })
})

it('a node that is added again while others expire waits its full time', () => {
  const clock = fakeClock()
  const list = new DeadlineList(clock, 10)
  const expiredAt: number[] = []
  const node: Node = new Node(() => {
    expiredAt.push(clock.now())
    if (expiredAt.length < 3) list.add(node, clock.now())
  })
  list.add(node, clock.now())
  clock.tick(100)
  expect(expiredAt).toEqual([10, 20, 30])
  expect(clock.timers).toEqual([])
})

it('a node that throws does not keep the others from expiring, nor those that come later', () => {
  const clock = fakeClock()
  const list = new DeadlineList(clock, 10)
  const log: string[] = []
  list.add(
    new Node(() => {
      throw new Error('broken')
    }),
    clock.now(),
  )
  list.add(new Node(() => log.push('same time')), clock.now())
  expect(() => clock.tick(10)).toThrow('broken')
  list.add(new Node(() => log.push('later')), clock.now())
  clock.tick(1)
  expect(log).toEqual(['same time'])
  clock.tick(10)
  expect(log).toEqual(['same time', 'later'])
})
