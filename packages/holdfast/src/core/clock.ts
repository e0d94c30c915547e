/** A scheduled call of {@link Clock.setTimer}. */
export interface Timer {
  cancel(): void
  /** Keeps the process alive while the timer is pending; the state after {@link Clock.setTimer}. */
  ref(): void
  /** Lets the process exit although the timer is pending. */
  unref(): void
}

/** Time as every policy sees it. Hand in a fake one to make time a parameter of a test. */
export interface Clock {
  /** Monotonic milliseconds, fractional, from an arbitrary origin. Windows, deadlines and delays use this one only. */
  now(): number
  /** Wall-clock epoch milliseconds. Only ever shown, never computed with. */
  wallNow(): number
  /** Calls `run` once after at least `delayMs` (0 or more, cut to 2^31 - 1). */
  setTimer(run: () => void, delayMs: number): Timer
}

/** The longest delay that setTimeout keeps; a longer one would fire at once. */
export const maxTimerMs = 2 ** 31 - 1

class SystemTimer implements Timer {
  readonly handle: NodeJS.Timeout
  constructor(handle: NodeJS.Timeout) {
    this.handle = handle
  }
  cancel(): void {
    clearTimeout(this.handle)
  }
  ref(): void {
    this.handle.ref()
  }
  unref(): void {
    this.handle.unref()
  }
}

/** The machine's own time. */
export const systemClock: Clock = {
  now: (): number => performance.now(),
  wallNow: (): number => Date.now(),
  setTimer: (run: () => void, delayMs: number): Timer => new SystemTimer(setTimeout(run, Math.min(Math.max(delayMs, 0), maxTimerMs))),
}
