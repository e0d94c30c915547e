/**
 * Tells the policies around one request that its client has left. They take it for an AbortSignal, of which they use no more than
 * this; one of Node's own costs each request more than most policies do.
 */
export class Departure {
  aborted = false
  reason: unknown = undefined
  private listeners: (() => void)[] = []

  get signal(): AbortSignal {
    return this as unknown as AbortSignal
  }

  abort(reason: unknown): void {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason
    for (const listener of this.listeners.splice(0)) listener()
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.listeners.push(listener)
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    const at = this.listeners.indexOf(listener)
    if (at >= 0) this.listeners.splice(at, 1)
  }
}
