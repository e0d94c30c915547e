import { maxTimerMs, type Clock, type Timer } from './clock.ts'

/** Something that waits for an instant. It carries its own links: adding and removing allocate nothing. */
export interface DeadlineNode {
  /** Monotonic ms. */
  dueAt: number
  previous: DeadlineNode | undefined
  next: DeadlineNode | undefined
  listed: boolean
  expire(): void
}

/** A place where {@link DeadlineNode}s wait. */
export interface Deadlines {
  remove(node: DeadlineNode): void
}

/**
 * Waiters of one configured duration, oldest first, behind a single timer. The timer is ref'd while somebody waits and
 * unref'd while nobody does; an idle list owns none once the last one has fired.
 */
export class DeadlineList implements Deadlines {
  readonly durationMs: number
  private readonly clock: Clock
  private first: DeadlineNode | undefined = undefined
  private last: DeadlineNode | undefined = undefined
  private timer: Timer | undefined = undefined

  constructor(clock: Clock, durationMs: number) {
    this.clock = clock
    this.durationMs = durationMs
  }

  add(node: DeadlineNode, now: number): void {
    node.dueAt = now + this.durationMs
    node.previous = this.last
    node.next = undefined
    node.listed = true
    if (this.last === undefined) {
      this.first = node
      if (this.timer === undefined) this.arm(this.durationMs)
      else this.timer.ref()
    } else this.last.next = node
    this.last = node
  }

  remove(node: DeadlineNode): void {
    if (!node.listed) return
    node.listed = false
    if (node.previous === undefined) this.first = node.next
    else node.previous.next = node.next
    if (node.next === undefined) this.last = node.previous
    else node.next.previous = node.previous
    node.previous = undefined
    node.next = undefined
    if (this.first === undefined) this.timer?.unref()
  }

  /** Lets all go without expiring them, and the timer with them. */
  clear(): void {
    for (let node = this.first; node !== undefined; node = this.first) this.remove(node)
    this.timer?.cancel()
    this.timer = undefined
  }

  private arm(delayMs: number): void {
    if (delayMs === Infinity) return
    this.timer = this.clock.setTimer(this.fire, Math.min(Math.ceil(delayMs), maxTimerMs))
  }

  private readonly fire = (): void => {
    this.timer = undefined
    const now = this.clock.now()
    try {
      while (this.first !== undefined && this.first.dueAt <= now) {
        const node = this.first
        this.remove(node)
        node.expire()
      }
    } finally {
      // also when one that expires is broken: the others still wait
      if (this.first !== undefined && this.timer === undefined) this.arm(Math.max(1, this.first.dueAt - now))
    }
  }
}
