/** A queue that is long at times: taking the first costs the same however many wait. */
export class Fifo<T> {
  private items: (T | undefined)[] = []
  private head = 0
  private gone = 0

  get length(): number {
    return this.items.length - this.head - this.gone
  }

  push(item: T): void {
    this.items.push(item)
  }

  shift(): T | undefined {
    while (this.head < this.items.length) {
      const item = this.items[this.head]
      this.items[this.head++] = undefined
      if (this.head > 1_024 && this.head * 2 > this.items.length) {
        this.items = this.items.slice(this.head)
        this.head = 0
      }
      if (item !== undefined) return item
      this.gone--
    }
    return undefined
  }

  /** Takes one out that waits, wherever it stands. */
  remove(item: T): void {
    const index = this.items.indexOf(item, this.head)
    if (index === -1) return
    this.items[index] = undefined
    this.gone++
  }
}
