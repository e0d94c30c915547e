import { afterEach, describe, expect, it, vi } from 'vitest'
import { maxTimerMs, systemClock } from './clock.ts'

afterEach(() => vi.restoreAllMocks())

describe('systemClock', () => {
  it('now never goes back, and does not follow the wall clock', () => {
    const before = systemClock.now()
    vi.spyOn(Date, 'now').mockReturnValue(0)
    expect(systemClock.wallNow()).toBe(0)
    expect(systemClock.now()).toBeGreaterThanOrEqual(before)
  })

  it('cuts a delay to what setTimeout keeps, instead of firing at once', () => {
    const set = vi.spyOn(globalThis, 'setTimeout')
    const timers = [2 ** 40, maxTimerMs, Infinity, -5, 0].map((delayMs) => systemClock.setTimer(() => undefined, delayMs))
    for (const timer of timers) timer.cancel()
    expect(set.mock.calls.map(([, delayMs]) => delayMs)).toEqual([maxTimerMs, maxTimerMs, maxTimerMs, 0, 0])
  })

  it('a timer keeps the process alive until it is told not to', () => {
    const set = vi.spyOn(globalThis, 'setTimeout')
    const timer = systemClock.setTimer(() => undefined, 10_000)
    const handle = set.mock.results[0]?.value as NodeJS.Timeout
    expect(handle.hasRef()).toBe(true)
    timer.unref()
    expect(handle.hasRef()).toBe(false)
    timer.ref()
    expect(handle.hasRef()).toBe(true)
    timer.cancel()
  })
})
