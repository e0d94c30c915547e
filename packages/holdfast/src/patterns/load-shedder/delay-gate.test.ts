import { describe, expect, it } from 'vitest'
import { loadShedder, type LoadShedder } from 'holdfast'
import { fakeClock, type FakeClock } from 'holdfast/testing'

interface Door {
  readonly shedder: LoadShedder
  readonly clock: FakeClock
  readonly served: string[]
  readonly shed: string[]
  /** Work that runs until it is ended. */
  come(name: string, priority?: 'low' | 'normal'): void
  end(): Promise<void>
}

function door(options: { maxQueued?: number; maxConcurrent?: number } = {}): Door {
  const clock = fakeClock()
  const shedder = loadShedder({ mode: 'queue-delay', maxConcurrent: 1, ...options, clock })
  const served: string[] = []
  const shed: string[] = []
  const ends: (() => void)[] = []
  return {
    shedder,
    clock,
    served,
    shed,
    come(name, priority = 'normal') {
      const work = (): Promise<void> => {
        served.push(name)
        return new Promise((resolve) => ends.push(resolve))
      }
      void shedder.tryExecute(work, { priority }).then((outcome) => {
        if (!outcome.ok) shed.push(name)
      })
    },
    async end() {
      ends.shift()?.()
      await clock.settle()
    },
  }
}

describe('shedding by the time in the queue', () => {
  it('serves a burst in order, also when it waits for longer than the target', async () => {
    const { come, end, clock, served, shed } = door()
    for (const name of ['a', 'b', 'c']) come(name)
    clock.tick(40)
    await end()
    clock.tick(40)
    await end()
    expect({ served, shed }).toEqual({ served: ['a', 'b', 'c'], shed: [] })
  })

  it('lets nobody wait for longer than the interval', async () => {
    const { come, clock, shed, shedder } = door()
    come('a')
    come('b')
    clock.tick(99)
    expect(shed).toEqual([])
    clock.tick(1)
    await clock.settle()
    expect(shed).toEqual(['b'])
    expect(shedder.status()).toMatchObject({ queued: 0, shed: 1 })
  })

  it('once the queue stands, cuts long waits and serves who came last', async () => {
    const { come, end, clock, served, shed, shedder } = door()
    come('a')
    come('b')
    clock.tick(60)
    come('c')
    clock.tick(50) // b is gone; there has been a queue for more than an interval
    come('d')
    come('e')
    expect(shedder.health().status).toBe('warn')
    await end()
    expect({ served, shed }).toEqual({ served: ['a', 'e'], shed: ['b', 'c'] })
    await end()
    expect(served).toEqual(['a', 'e', 'd'])
    await end()
    expect(shedder.status()).toMatchObject({ running: 0, queued: 0, shedding: false })
    expect(clock.timers.filter(({ ref }) => ref)).toEqual([])
  })

  it('turns away the least important when the queue is full', async () => {
    const { come, clock, shed } = door({ maxQueued: 2 })
    for (const name of ['a', 'b']) come(name)
    come('low', 'low')
    come('c')
    come('another low', 'low')
    await clock.settle()
    expect(shed.toSorted()).toEqual(['another low', 'low'])
  })

  it('turns waiters away when it is disposed of', async () => {
    const { come, clock, shed, shedder } = door()
    come('a')
    come('b')
    shedder.dispose()
    await clock.settle()
    expect(shed).toEqual(['b'])
    expect(shedder.tryAcquire()).toMatchObject({ refused: true, code: 'ERR_DISPOSED' })
  })
})
