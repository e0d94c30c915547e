/** What an aborted AbortSignal reaches. */
export interface Abortable {
  cancel(reason: unknown): void
}

/** Stands for a reason that nobody gave. */
export const unexplained: DOMException = new DOMException('This operation was aborted', 'AbortError')

/** Why a signal was aborted; those of old polyfills do not say. */
export function abortReason(signal: AbortSignal): unknown {
  return signal.reason === undefined ? unexplained : signal.reason
}

const hubs = new WeakMap<AbortSignal, AbortHub>()

/**
 * One event listener per AbortSignal, however many calls share it: it is added with the first call and removed with the
 * last one, so a signal that lives as long as the program gathers nothing.
 */
class AbortHub {
  readonly signal: AbortSignal
  /** Most signals have one call only. */
  private calls: Abortable | Set<Abortable> | undefined = undefined

  constructor(signal: AbortSignal) {
    this.signal = signal
  }

  add(call: Abortable): void {
    const { calls } = this
    if (calls === undefined) {
      this.calls = call
      this.signal.addEventListener('abort', this.abort)
    } else if (calls instanceof Set) calls.add(call)
    else if (calls !== call) this.calls = new Set([calls, call])
  }

  remove(call: Abortable): void {
    const { calls } = this
    if (calls instanceof Set) {
      if (!calls.delete(call) || calls.size > 0) return
    } else if (calls !== call) return
    this.calls = undefined
    this.signal.removeEventListener('abort', this.abort)
  }

  readonly abort = (): void => {
    const { calls } = this
    if (calls === undefined) return
    const reason = abortReason(this.signal)
    for (const call of calls instanceof Set ? calls : [calls]) {
      this.remove(call) // those that leave meanwhile hear nothing
      call.cancel(reason)
    }
  }
}

/** Calls `call.cancel(reason)` once when the signal aborts. The signal must not be aborted yet. */
export function listenAbort(signal: AbortSignal, call: Abortable): void {
  let hub = hubs.get(signal)
  if (hub === undefined) hubs.set(signal, (hub = new AbortHub(signal)))
  hub.add(call)
}

export function unlistenAbort(signal: AbortSignal, call: Abortable): void {
  hubs.get(signal)?.remove(call)
}
