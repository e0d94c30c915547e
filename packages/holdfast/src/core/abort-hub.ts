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
  readonly calls = new Set<Abortable>()

  constructor(signal: AbortSignal) {
    this.signal = signal
  }

  add(call: Abortable): void {
    if (this.calls.size === 0) this.signal.addEventListener('abort', this.abort)
    this.calls.add(call)
  }

  remove(call: Abortable): void {
    if (this.calls.delete(call) && this.calls.size === 0) this.signal.removeEventListener('abort', this.abort)
  }

  readonly abort = (): void => {
    const reason = abortReason(this.signal)
    for (const call of this.calls) {
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
