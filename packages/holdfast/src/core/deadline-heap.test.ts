import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { maxTimerMs } from './clock.ts'
import { DeadlineHeap, deadlineHeap, type HeapNode } from './deadline-heap.ts'
import { fakeClock, type FakeClock } from './fake-clock.ts'
import { recordingClock } from './recording-clock.fixture.ts'

class Node implements HeapNode {
  place = -1
  readonly dueAt: number
  readonly expire: () => void
  constructor(dueAt: number, expire: () => void = () => undefined) {
    this.dueAt = dueAt
    this.expire = expire
  }
}

const refs = (clock: FakeClock): boolean[] => clock.timers.map(({ ref }) => ref)

describe('agrees with a sorted list', () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ add: fc.double({ min: 0, max: 100, noNaN: true }) }) },
    { weight: 2, arbitrary: fc.record({ remove: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ advance: fc.nat(40) }) },
  )

  it.each([0, 0.7])('over random steps, with timers that fire %d ms early', (earlyMs) => {
    const property = fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const clock = recordingClock({ startMs: 0.25, earlyMs })
      const heap = new DeadlineHeap(clock)
      const expired: Node[] = []
      let waiting: Node[] = []
      for (const each of steps) {
        if ('add' in each) {
          const node: Node = new Node(clock.now() + each.add, () => {
            expect(clock.now()).toBeGreaterThanOrEqual(node.dueAt)
            expect(node.place).toBe(-1)
            expired.push(node)
          })
          heap.add(node)
          waiting.push(node)
        } else if ('remove' in each) {
          const [node] = waiting.splice(each.remove % Math.max(1, waiting.length), 1)
          if (node !== undefined) {
            heap.remove(node)
            heap.remove(node)
          }
        } else {
          clock.tick(each.advance)
          const heard = expired.splice(0)
          const inOrder = waiting.map(({ dueAt }) => dueAt).toSorted((a, b) => a - b)
          expect(heard.map(({ dueAt }) => dueAt)).toEqual(inOrder.slice(0, heard.length))
          waiting = waiting.filter((node) => !heard.includes(node))
          expect(waiting.every(({ dueAt }) => dueAt + 1 > clock.now())).toBe(true) // nobody is a millisecond late
        }
        expect(clock.timers.length).toBeLessThanOrEqual(1)
        expect(refs(clock).includes(true)).toBe(waiting.length > 0)
      }
    })
    fc.assert(property, { seed: 20, numRuns: 300 })
  })
})

describe('its timer', () => {
  it('is the only one, is moved for an earlier node, and keeps the process alive while somebody waits', () => {
    const clock = fakeClock()
    const heap = new DeadlineHeap(clock)
    const [late, early] = [new Node(100), new Node(10)]
    heap.add(late)
    expect(clock.timers).toEqual([{ dueAt: 100, ref: true }])
    heap.add(early)
    expect(clock.timers).toEqual([{ dueAt: 10, ref: true }])
    heap.remove(early)
    expect(refs(clock)).toEqual([true])
    heap.remove(late)
    expect(refs(clock)).toEqual([false])
    heap.add(new Node(50))
    expect(clock.timers).toEqual([{ dueAt: 10, ref: true }]) // it fires too early, and is set again then
    clock.tick(10)
    expect(clock.timers).toEqual([{ dueAt: 50, ref: true }])
    clock.tick(40)
    expect(clock.timers).toEqual([])
  })

  it('is never set for longer than setTimeout keeps, and set again until the instant has come', () => {
    const clock = recordingClock()
    const heap = new DeadlineHeap(clock)
    let expiredAt: number | undefined
    const dueAt = 2.5 * maxTimerMs
    heap.add(new Node(dueAt, () => (expiredAt = clock.now())))
    clock.tick(3 * maxTimerMs)
    expect(expiredAt).toBe(Math.ceil(dueAt))
    expect(Math.max(...clock.delays)).toBe(maxTimerMs)
    expect(clock.delays.length).toBe(3)
  })

  it('is not set for a node that never expires', () => {
    const clock = fakeClock()
    const heap = new DeadlineHeap(clock)
    const node = new Node(Infinity)
    heap.add(node)
    heap.remove(node)
    expect(clock.timers).toEqual([])
  })

  it('does not spin when it fires early', () => {
    const clock = recordingClock({ earlyMs: 0.9 })
    const heap = new DeadlineHeap(clock)
    let expiredAt = 0
    heap.add(new Node(20.5, () => (expiredAt = clock.now())))
    clock.tick(30)
    expect(expiredAt).toBeGreaterThanOrEqual(20.5)
    expect(clock.delays.length).toBeLessThanOrEqual(12) // a tenth of a millisecond at a time, at the worst
  })
})

it('nodes that add and remove others while they expire break nothing', () => {
  const clock = fakeClock()
  const heap = new DeadlineHeap(clock)
  const log: string[] = []
  const victim = new Node(20, () => log.push('victim'))
  heap.add(
    new Node(10, () => {
      log.push('first')
      heap.remove(victim)
      heap.add(new Node(10, () => log.push('due at once')))
      heap.add(new Node(30, () => log.push('later')))
    }),
  )
  heap.add(victim)
  clock.tick(10)
  expect(log).toEqual(['first', 'due at once'])
  clock.tick(20)
  expect(log).toEqual(['first', 'due at once', 'later'])
  expect(clock.timers).toEqual([])
})

it('a node that throws does not keep the others from expiring', () => {
  const clock = fakeClock()
  const heap = new DeadlineHeap(clock)
  const log: string[] = []
  heap.add(
    new Node(10, () => {
      throw new Error('broken')
    }),
  )
  heap.add(new Node(10, () => log.push('same time')))
  heap.add(new Node(20, () => log.push('later')))
  expect(() => clock.tick(10)).toThrow('broken')
  clock.tick(0)
  expect(log).toEqual(['same time'])
  clock.tick(10)
  expect(log).toEqual(['same time', 'later'])
})

it('a clock has one heap, and each clock its own', () => {
  const [one, other] = [fakeClock(), fakeClock()]
  expect(deadlineHeap(one)).toBe(deadlineHeap(one))
  expect(deadlineHeap(other)).not.toBe(deadlineHeap(one))
})
