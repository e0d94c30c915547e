/** Something that happens at an instant of simulated time. It carries its own place in the queue: scheduling allocates nothing. */
export abstract class SimulatedEvent {
  /** Simulated ms. */
  at = 0
  /** Which of several at one instant comes first: the one scheduled first. */
  order = 0
  /** Index in the heap, -1 outside. */
  slot = -1
  abstract fire(): void
}

/** Events by instant, and by the order in which they were scheduled within one. A binary heap that knows each event's place. */
export class EventQueue {
  private readonly heap: SimulatedEvent[] = []
  private scheduled = 0

  get size(): number {
    return this.heap.length
  }

  get first(): SimulatedEvent | undefined {
    return this.heap[0]
  }

  /** Schedules an event; one that is in the queue already moves. */
  schedule(event: SimulatedEvent, at: number): void {
    this.remove(event)
    event.at = at
    event.order = this.scheduled++
    this.heap.push(event)
    this.rise(event, this.heap.length - 1)
  }

  remove(event: SimulatedEvent): void {
    const { slot } = event
    if (slot === -1) return
    event.slot = -1
    const last = this.heap.pop() as SimulatedEvent
    if (last === event) return
    this.sink(last, slot)
    if (last.slot === slot) this.rise(last, slot)
  }

  /** Takes the first event out. */
  next(): SimulatedEvent | undefined {
    const { first } = this
    if (first !== undefined) this.remove(first)
    return first
  }

  private rise(event: SimulatedEvent, from: number): void {
    const { heap } = this
    let slot = from
    while (slot > 0) {
      const above = (slot - 1) >> 1
      const parent = heap[above] as SimulatedEvent
      if (!isBefore(event, parent)) break
      heap[slot] = parent
      parent.slot = slot
      slot = above
    }
    heap[slot] = event
    event.slot = slot
  }

  private sink(event: SimulatedEvent, from: number): void {
    const { heap } = this
    let slot = from
    for (;;) {
      let below = 2 * slot + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && isBefore(heap[below + 1] as SimulatedEvent, heap[below] as SimulatedEvent)) below++
      const child = heap[below] as SimulatedEvent
      if (!isBefore(child, event)) break
      heap[slot] = child
      child.slot = slot
      slot = below
    }
    heap[slot] = event
    event.slot = slot
  }
}

function isBefore(one: SimulatedEvent, other: SimulatedEvent): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order)
}
