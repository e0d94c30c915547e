/** Something that is kept until an instant. */
export interface Expiring {
  /** Monotonic ms; change it through {@link ExpiryQueue.move} only. */
  expiresAt: number
  /** Its place in the queue; -1 while it is in none. */
  place: number
}

/** What expires next, without a timer: whoever works with the store asks. A binary heap. */
export class ExpiryQueue<Item extends Expiring> {
  private readonly items: Item[] = []

  add(item: Item): void {
    item.place = this.items.push(item) - 1
    this.rise(item)
  }

  /** Another instant for an item in the queue. */
  move(item: Item, expiresAt: number): void {
    item.expiresAt = expiresAt
    this.rise(item)
    this.sink(item)
  }

  remove(item: Item): void {
    const { place } = item
    if (place < 0) return
    const last = this.items.pop() as Item
    item.place = -1
    if (last === item) return
    last.place = place
    this.items[place] = last
    this.rise(last)
    this.sink(last)
  }

  /** The item that expired first, taken out; undefined when none has. */
  shift(now: number): Item | undefined {
    const first = this.items[0]
    if (first === undefined || first.expiresAt > now) return undefined
    this.remove(first)
    return first
  }

  private rise(item: Item): void {
    while (item.place > 0) {
      const parent = this.items[(item.place - 1) >> 1] as Item
      if (parent.expiresAt <= item.expiresAt) return
      this.swap(parent, item)
    }
  }

  private sink(item: Item): void {
    for (;;) {
      const left = this.items[2 * item.place + 1]
      if (left === undefined) return
      const right = this.items[2 * item.place + 2]
      const sooner = right !== undefined && right.expiresAt < left.expiresAt ? right : left
      if (item.expiresAt <= sooner.expiresAt) return
      this.swap(item, sooner)
    }
  }

  private swap(upper: Item, lower: Item): void {
    const { place } = upper
    this.items[lower.place] = upper
    this.items[place] = lower
    upper.place = lower.place
    lower.place = place
  }
}
