import type { WatchEvent } from '../../core/ports/coord-port.ts'

/** Changes that wait for one reader at most; beyond them it gets a snapshot. */
const maxWaiting = 1_000

/** One reader of changes. */
export class Watcher {
  readonly prefix: string
  /** The reader has to be told everything anew. */
  missed = false
  private readonly waiting: WatchEvent[] = []
  private wake: (() => void) | undefined = undefined

  constructor(prefix: string) {
    this.prefix = prefix
  }

  push(event: WatchEvent): void {
    if (this.missed) return
    if (this.waiting.push(event) > maxWaiting) {
      this.waiting.length = 0
      this.missed = true
    }
    this.stir()
  }

  shift(): WatchEvent | undefined {
    return this.waiting.shift()
  }

  /** Settles when there is something to read, or {@link Watcher.stir} was called. */
  readonly change = (): Promise<void> =>
    new Promise((resolve) => {
      this.wake = resolve
    })

  readonly stir = (): void => {
    this.wake?.()
    this.wake = undefined
  }
}
