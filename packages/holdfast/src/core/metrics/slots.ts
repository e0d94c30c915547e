const pageLength = 128

/** A place in a page of numbers. Pages never move, so whoever has the slot writes to it without asking again. */
export interface Slot {
  readonly cells: Float64Array
  readonly index: number
}

/** Where those write whose series is gone: nobody reads it, and it belongs to no series. */
export const nowhere: Slot = { cells: new Float64Array(1), index: 0 }

/** Hands out slots and takes them back for others. */
export class SlotPool {
  private readonly free: Slot[] = []

  take(): Slot {
    if (this.free.length === 0) this.addPage()
    const slot = this.free.pop() as Slot
    slot.cells[slot.index] = 0
    return slot
  }

  /** For slots that nobody writes to any more. */
  giveBack(slot: Slot): void {
    this.free.push(slot)
  }

  private addPage(): void {
    const cells = new Float64Array(pageLength)
    for (let index = pageLength - 1; index >= 0; index--) this.free.push({ cells, index })
  }
}
