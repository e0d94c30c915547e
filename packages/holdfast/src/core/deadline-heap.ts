import { maxTimerMs, type Clock, type Timer } from './clock.ts'

/** Something that waits for a computed instant. */
export interface HeapNode {
  /** Monotonic ms. */
  dueAt: number
  /** Its place in the heap; -1 while it is in none. */
  place: number
  expire(): void
}

const heaps = new WeakMap<Clock, DeadlineHeap>()

/** The one heap of a clock. */
export function deadlineHeap(clock: Clock): DeadlineHeap {
  let heap = heaps.get(clock)
  if (heap === undefined) heaps.set(clock, (heap = new DeadlineHeap(clock)))
  return heap
}

/** Waiters for computed instants (back-off delays, deadlines of single calls) behind a single timer: a binary heap. */
export class DeadlineHeap {
  private readonly clock: Clock
  private readonly nodes: HeapNode[] = []
  private timer: Timer | undefined = undefined
  /** The instant the timer was set for; it may fire up to a millisecond later. */
  private firesAt = Infinity

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** `node.dueAt` says when; Infinity never expires. */
  add(node: HeapNode): void {
    if (node.dueAt === Infinity) return
    node.place = this.nodes.length
    this.nodes.push(node)
    this.rise(node)
    this.arm()
  }

  remove(node: HeapNode): void {
    if (node.place < 0) return
    const { place } = node
    const last = this.nodes.pop() as HeapNode
    node.place = -1
    if (last !== node) {
      last.place = place
      this.nodes[place] = last
      this.rise(last)
      this.sink(last)
    }
    if (this.nodes.length === 0) this.timer?.unref()
  }

  private arm(): void {
    const first = this.nodes[0]
    if (first === undefined) return
    if (this.timer !== undefined) {
      if (this.firesAt <= first.dueAt) {
        this.timer.ref()
        return
      }
      this.timer.cancel()
    }
    const now = this.clock.now()
    this.firesAt = Math.min(first.dueAt, now + maxTimerMs)
    this.timer = this.clock.setTimer(this.fire, Math.max(0, Math.ceil(this.firesAt - now)))
  }

  private readonly fire = (): void => {
    this.timer = undefined
    this.firesAt = Infinity
    const now = this.clock.now()
    try {
      for (let first = this.nodes[0]; first !== undefined && first.dueAt <= now; first = this.nodes[0]) {
        this.remove(first)
        first.expire()
      }
    } finally {
      this.arm() // also when one that expires is broken: the others still wait
    }
  }

  private rise(node: HeapNode): void {
    while (node.place > 0) {
      const parent = this.nodes[(node.place - 1) >> 1] as HeapNode
      if (parent.dueAt <= node.dueAt) return
      this.swap(parent, node)
    }
  }

  private sink(node: HeapNode): void {
    for (;;) {
      const left = this.nodes[2 * node.place + 1]
      if (left === undefined) return
      const right = this.nodes[2 * node.place + 2]
      const smaller = right !== undefined && right.dueAt < left.dueAt ? right : left
      if (node.dueAt <= smaller.dueAt) return
      this.swap(node, smaller)
    }
  }

  /** Swaps a parent with one of its children. */
  private swap(upper: HeapNode, lower: HeapNode): void {
    const place = upper.place
    this.nodes[lower.place] = upper
    this.nodes[place] = lower
    upper.place = lower.place
    lower.place = place
  }
}
