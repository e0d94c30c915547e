import { describe, expect, it } from 'vitest'
import { fakeClock } from 'holdfast/testing'

describe('fakeClock', () => {
  it('stands still until it is told to move, on both faces', async () => {
    const clock = fakeClock({ startMs: 5, wallMs: 1_000 })
    expect([clock.now(), clock.wallNow()]).toEqual([5, 1_000])
    await clock.advance('2s')
    expect([clock.now(), clock.wallNow()]).toEqual([2_005, 3_000])
  })

  it('starts at 0, on the first of January 2030', () => {
    expect([fakeClock().now(), new Date(fakeClock().wallNow()).toISOString()]).toEqual([0, '2030-01-01T00:00:00.000Z'])
  })

  it('runs timers that fall due in their order, each at its own time', () => {
    const clock = fakeClock()
    const log: [string, number][] = []
    for (const [name, delay] of [
      ['late', 30],
      ['early', 10],
      ['same time, first set', 20],
      ['same time, set later', 20],
      ['not yet', 41],
    ] as const) {
      clock.setTimer(() => log.push([name, clock.now()]), delay)
    }
    clock.tick(40)
    expect(log).toEqual([
      ['early', 10],
      ['same time, first set', 20],
      ['same time, set later', 20],
      ['late', 30],
    ])
    expect(clock.now()).toBe(40)
    expect(clock.timers).toEqual([{ dueAt: 41, ref: true }])
  })

  it('runs timers that timers set within the time it moves', () => {
    const clock = fakeClock()
    const firedAt: number[] = []
    const again = (): void => {
      firedAt.push(clock.now())
      clock.setTimer(again, 10)
    }
    clock.setTimer(again, 10)
    clock.tick(35)
    expect(firedAt).toEqual([10, 20, 30])
  })

  it('lets promises settle before the first timer and between two', async () => {
    const clock = fakeClock()
    const log: string[] = []
    void Promise.resolve().then(() => log.push('before'))
    clock.setTimer(() => {
      log.push('timer 1')
      void Promise.resolve().then(() => log.push('between'))
    }, 1)
    clock.setTimer(() => log.push('timer 2'), 2)
    await clock.advance(2)
    expect(log).toEqual(['before', 'timer 1', 'between', 'timer 2'])
  })

  it('forgets a cancelled timer, and knows which ones keep a process alive', () => {
    const clock = fakeClock()
    let fired = false
    const timer = clock.setTimer(() => void (fired = true), 10)
    timer.unref()
    expect(clock.timers).toEqual([{ dueAt: 10, ref: false }])
    timer.ref()
    expect(clock.timers).toEqual([{ dueAt: 10, ref: true }])
    timer.cancel()
    timer.cancel()
    clock.tick('1h')
    expect(fired).toBe(false)
    expect(clock.timers).toEqual([])
  })

  it('step moves the monotonic clock alone, also backwards, and runs nothing', () => {
    const clock = fakeClock({ startMs: 100 })
    let fired = false
    clock.setTimer(() => void (fired = true), 10)
    clock.step(50)
    clock.step(-120)
    expect(clock.now()).toBe(30)
    expect(fired).toBe(false)
    expect(() => clock.step(Number.NaN)).toThrow(/no number of ms/)
  })

  it('stepWall moves the wall clock alone', () => {
    const clock = fakeClock({ wallMs: 1_000 })
    clock.stepWall(-600)
    expect([clock.now(), clock.wallNow()]).toEqual([0, 400])
  })

  it('refuses to go back', () => {
    expect(() => fakeClock().tick(-1)).toThrow(/option 'by' must be a duration/)
  })
})
