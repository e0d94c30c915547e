/** The window is cut in so many slices. */
const slices = 20

export interface ThrottleSettings {
  /** Requests per accepted one that are still let through. */
  readonly k: number
  readonly windowMs: number
  /** Nothing is shed while the window has fewer requests. */
  readonly minVolume: number
  readonly maxRejectRatio: number
}

/**
 * Client-side throttling (Beyer et al., Site Reliability Engineering, chapter 21): sheds `(requests - k * accepts) / (requests + 1)` of
 * the calls, over a sliding window in which every request counts before it is sent, the shed ones too.
 *
 * By that rule alone a dependency that recovers is not believed until the outage has left the window. Here each success in a row since the
 * last failure halves what is shed: a dependency that answers is back after a few calls, while one that fails mostly never has a row.
 */
export class ClientThrottle {
  settings: ThrottleSettings
  private readonly requests: number[] = Array.from({ length: slices }, () => 0)
  private readonly accepts: number[] = Array.from({ length: slices }, () => 0)
  private slice = 0
  private sliceStart: number
  private allRequests = 0
  private allAccepts = 0
  private successesInRow = 0

  constructor(settings: ThrottleSettings, now: number) {
    this.settings = settings
    this.sliceStart = now
  }

  /** What was counted stays, and ages by the new window. */
  reconfigure(settings: ThrottleSettings, now: number): void {
    this.advance(now)
    this.settings = settings
    this.sliceStart = now
  }

  /** Probability with which the next request is shed; counts it first. */
  ask(now: number): number {
    this.advance(now)
    this.requests[this.slice] = (this.requests[this.slice] as number) + 1
    this.allRequests++
    return this.probability()
  }

  /** As {@link ask}, but counts nothing. */
  peek(now: number): number {
    this.advance(now)
    return this.probability()
  }

  /** A request was not sent for a reason that says nothing about the dependency. */
  takeBack(now: number): void {
    this.advance(now)
    if ((this.requests[this.slice] as number) === 0) return
    this.requests[this.slice] = (this.requests[this.slice] as number) - 1
    this.allRequests--
  }

  accepted(now: number): void {
    this.advance(now)
    this.accepts[this.slice] = (this.accepts[this.slice] as number) + 1
    this.allAccepts++
    this.successesInRow++
  }

  failed(): void {
    this.successesInRow = 0
  }

  private probability(): number {
    const { k, minVolume, maxRejectRatio } = this.settings
    if (this.allRequests < minVolume) return 0
    const wanted = (this.allRequests - k * this.allAccepts) / (this.allRequests + 1)
    return Math.max(0, Math.min(maxRejectRatio, wanted)) * 2 ** -Math.min(50, this.successesInRow)
  }

  private advance(now: number): void {
    const sliceMs = this.settings.windowMs / slices
    const passed = Math.floor((now - this.sliceStart) / sliceMs)
    if (passed <= 0) return
    for (let step = 0; step < Math.min(passed, slices); step++) {
      this.slice = (this.slice + 1) % slices
      this.allRequests -= this.requests[this.slice] as number
      this.allAccepts -= this.accepts[this.slice] as number
      this.requests[this.slice] = 0
      this.accepts[this.slice] = 0
    }
    this.sliceStart += passed * sliceMs
  }
}
