/** What an aborted AbortSignal reaches. */
export interface Abortable {
  cancel(reason: unknown): void
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
    this.signal.removeEventListener('abort', this.abort)
    const calls = [...this.calls]
    this.calls.clear()
    for (const call of calls) call.cancel(this.signal.reason)
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
