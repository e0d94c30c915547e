import type { Clock, Timer } from '../core/clock.ts'
import { HoldfastError } from '../core/errors.ts'
import { EventQueue, SimulatedEvent } from './event-queue.ts'

/** After so many events the event loop gets a turn, so that a long simulation does not shut out a signal or a server. */
const eventsPerTurn = 4_096
/** So many events at one instant mean that timers of no delay set one another for ever. */
const maxAtOneInstant = 1_000_000

/** A timer that a policy has set. */
class VirtualTimer extends SimulatedEvent implements Timer {
  private readonly queue: EventQueue
  private readonly run: () => void

  constructor(queue: EventQueue, run: () => void) {
    super()
    this.queue = queue
    this.run = run
  }

  fire(): void {
    this.run()
  }

  cancel(): void {
    this.queue.remove(this)
  }

  ref(): void {
    // the simulation ends when it is told to, whoever waits
  }

  unref(): void {
    // as above
  }
}

/**
 * Time that jumps from event to event: a {@link Clock} for policies, and a queue for what the simulated world does. Between two
 * events all promises settle that can, however long their chains are, so that real code runs as it would on real time.
 */
export class VirtualTime implements Clock {
  /** Events that have fired. */
  fired = 0
  private readonly queue = new EventQueue()
  private readonly wallStart: number
  private time = 0

  constructor(wallStartMs: number) {
    this.wallStart = wallStartMs
  }

  now(): number {
    return this.time
  }

  wallNow(): number {
    return this.wallStart + this.time
  }

  setTimer(run: () => void, delayMs: number): Timer {
    const timer = new VirtualTimer(this.queue, run)
    if (delayMs !== Infinity) this.queue.schedule(timer, this.time + Math.max(0, delayMs))
    return timer
  }

  /** Lets an event happen at an instant that is not in the past. */
  schedule(event: SimulatedEvent, at: number): void {
    this.queue.schedule(event, at)
  }

  cancel(event: SimulatedEvent): void {
    this.queue.remove(event)
  }

  /**
   * Lets everything happen until `untilMs`, or until `isOver` says so.
   * @throws what an event throws; an error when time no longer moves.
   */
  run(untilMs: number, isOver?: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      let atThisInstant = 0
      const step = (): void => {
        const next = this.queue.first
        if (next === undefined || next.at > untilMs || isOver?.() === true) {
          if (isOver === undefined) this.time = Math.max(this.time, untilMs)
          resolve()
          return
        }
        atThisInstant = next.at > this.time ? 0 : atThisInstant + 1
        if (atThisInstant > maxAtOneInstant) {
          reject(stuck(this.time))
          return
        }
        this.queue.remove(next)
        this.time = Math.max(this.time, next.at)
        try {
          next.fire()
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error), { cause: error }))
          return
        }
        if (++this.fired % eventsPerTurn === 0) setImmediate(step)
        else queueMicrotask(afterMicrotasks)
      }
      // a tick queued by a microtask runs when no microtask is left
      const afterMicrotasks = (): void => process.nextTick(step)
      queueMicrotask(afterMicrotasks)
    })
  }
}

function stuck(atMs: number): HoldfastError {
  const message = `simulate: ${maxAtOneInstant} events at ${atMs} ms of simulated time; a policy sets timers of no delay without end`
  return new HoldfastError({ code: 'ERR_INVALID_ARGUMENT', message })
}
