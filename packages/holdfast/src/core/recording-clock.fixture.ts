import { fakeClock, type FakeClock, type FakeClockOptions } from './fake-clock.ts'

export interface RecordingClock extends FakeClock {
  /** The delay of each timer that was set, in ms. */
  readonly delays: readonly number[]
}

/** A fake clock that remembers the timers set on it. `earlyMs`: they fire so much too early, as those of a coarse clock do. */
export function recordingClock(options: FakeClockOptions & { readonly earlyMs?: number } = {}): RecordingClock {
  const { earlyMs = 0, ...rest } = options
  const clock = fakeClock(rest)
  const delays: number[] = []
  const setTimer = clock.setTimer.bind(clock)
  clock.setTimer = (run, delayMs) => {
    delays.push(delayMs)
    return setTimer(run, Math.max(0, delayMs - earlyMs))
  }
  return Object.assign(clock, { delays })
}
