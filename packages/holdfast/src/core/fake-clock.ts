import { durationMs, type Duration } from './duration.ts'
import type { Clock, Timer } from './clock.ts'
import { HoldfastError } from './errors.ts'

export interface FakeClock extends Clock {
  /** Moves time on, runs the timers that fall due in their order, and lets promises settle after each. */
  advance(by: Duration): Promise<void>
  /** As {@link FakeClock.advance}, without letting promises settle. */
  tick(by: Duration): void
  /** Moves monotonic time alone, also backwards, and runs no timer: a misbehaving clock source. */
  step(byMs: number): void
  /** Moves the wall clock alone, also backwards, as an administrator does. */
  stepWall(byMs: number): void
  /** Lets promises that can settle now settle. */
  settle(): Promise<void>
  /** Timers that have not fired; `ref` says whether one keeps the process alive. */
  readonly timers: readonly { readonly dueAt: number; readonly ref: boolean }[]
}

class FakeTimer implements Timer {
  readonly dueAt: number
  readonly order: number
  readonly run: () => void
  readonly pending: Set<FakeTimer>
  hasRef = true
  constructor(dueAt: number, order: number, run: () => void, pending: Set<FakeTimer>) {
    this.dueAt = dueAt
    this.order = order
    this.run = run
    this.pending = pending
  }
  cancel(): void {
    this.pending.delete(this)
  }
  ref(): void {
    this.hasRef = true
  }
  unref(): void {
    this.hasRef = false
  }
}

class ManualClock implements FakeClock {
  private time: number
  private wallOffset: number
  private made = 0
  private readonly pending = new Set<FakeTimer>()

  constructor(startMs: number, wallMs: number) {
    this.time = startMs
    this.wallOffset = wallMs - startMs
  }

  now(): number {
    return this.time
  }

  wallNow(): number {
    return this.time + this.wallOffset
  }

  setTimer(run: () => void, delayMs: number): Timer {
    const timer = new FakeTimer(this.time + Math.max(0, delayMs), this.made++, run, this.pending)
    this.pending.add(timer)
    return timer
  }

  get timers(): readonly { readonly dueAt: number; readonly ref: boolean }[] {
    return [...this.pending].map(({ dueAt, hasRef }) => ({ dueAt, ref: hasRef }))
  }

  async advance(by: Duration): Promise<void> {
    const end = this.time + durationMs('fakeClock', 'by', by)
    await this.settle()
    for (let timer = this.nextUntil(end); timer !== undefined; timer = this.nextUntil(end)) {
      this.fire(timer)
      await this.settle()
    }
    this.time = Math.max(this.time, end)
  }

  tick(by: Duration): void {
    const end = this.time + durationMs('fakeClock', 'by', by)
    for (let timer = this.nextUntil(end); timer !== undefined; timer = this.nextUntil(end)) this.fire(timer)
    this.time = Math.max(this.time, end)
  }

  step(byMs: number): void {
    if (!Number.isFinite(byMs))
      throw new HoldfastError({ code: 'ERR_INVALID_ARGUMENT', message: `fakeClock.step: ${byMs} is no number of ms` })
    this.time += byMs
  }

  stepWall(byMs: number): void {
    this.wallOffset += byMs
  }

  settle(): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(resolve)
    })
  }

  private fire(timer: FakeTimer): void {
    this.pending.delete(timer)
    this.time = Math.max(this.time, timer.dueAt)
    timer.run()
  }

  private nextUntil(end: number): FakeTimer | undefined {
    let next: FakeTimer | undefined
    for (const timer of this.pending) {
      if (timer.dueAt > end) continue
      if (next === undefined || timer.dueAt < next.dueAt || (timer.dueAt === next.dueAt && timer.order < next.order)) next = timer
    }
    return next
  }
}

export interface FakeClockOptions {
  /** Monotonic ms to start at. @defaultValue 0 */
  readonly startMs?: number
  /** Wall-clock epoch ms to start at. @defaultValue 2030-01-01T00:00:00Z */
  readonly wallMs?: number
}

/** A clock that stands still until it is told to move, and drives the timers set on it. */
export function fakeClock(options: FakeClockOptions = {}): FakeClock {
  return new ManualClock(options.startMs ?? 0, options.wallMs ?? Date.UTC(2030, 0, 1))
}
