export interface ListenerCount {
  /** Calls of addEventListener so far. */
  readonly added: number
  /** Calls of removeEventListener so far. */
  readonly removed: number
}

/** Counts the listeners that come to a signal and leave it from now on. */
export function countListeners(signal: AbortSignal): ListenerCount {
  const count = { added: 0, removed: 0 }
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = (...listener: Parameters<typeof add>): void => {
    count.added++
    add(...listener)
  }
  signal.removeEventListener = (...listener: Parameters<typeof remove>): void => {
    count.removed++
    remove(...listener)
  }
  return count
}
