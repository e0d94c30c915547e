import type { HeapNode } from '../../core/deadline-heap.ts'

interface Timed {
  timeIsUp(event: string, stay: number): void
}

/** Waits for the end of a state's time. */
export class StateTimer implements HeapNode {
  dueAt = 0
  place = -1
  event = ''
  /** Counts the stays in states with a time limit: a limit that comes late must not end the next one. */
  stay = 0
  private readonly machine: Timed

  constructor(machine: Timed) {
    this.machine = machine
  }

  expire(): void {
    this.machine.timeIsUp(this.event, this.stay)
  }
}
