/** One pause of a quota and its end: calls come back one after another. Instants are monotonic ms. */
interface Pause {
  until: number
  /** When the next call may come back. */
  nextAt: number
  /** From when on calls are no longer spaced. */
  pacedUntil: number
}

/** Pauses of a quota, for all keys or for one. */
export class Pauses {
  private forAll: Pause | undefined = undefined
  private readonly forKey = new Map<string, Pause>()
  private readonly maxKeys: number
  private readonly resumeOverMs: number

  constructor(maxKeys: number, resumeOverMs: number) {
    this.maxKeys = maxKeys
    this.resumeOverMs = resumeOverMs
  }

  /** The longest pause wins. Answers whether this one is new or longer. */
  pause(key: string | undefined, until: number, now: number): boolean {
    if (until <= Math.max(now, this.until(key ?? ''))) return false
    const pause = { until, nextAt: until, pacedUntil: until + this.resumeOverMs }
    if (key !== undefined && this.forKey.size >= this.maxKeys && !this.forKey.has(key)) this.forgetOver(now)
    // too many keys to tell apart: rather pause all than none
    if (key === undefined || (this.forKey.size >= this.maxKeys && !this.forKey.has(key))) this.forAll = pause
    else this.forKey.set(key, pause)
    return true
  }

  resume(key: string | undefined): void {
    if (key === undefined) {
      this.forAll = undefined
      this.forKey.clear()
    } else this.forKey.delete(key)
  }

  /** Until when the key is paused; -Infinity if it never was. */
  until(key: string): number {
    return Math.max(this.forAll?.until ?? -Infinity, this.forKey.get(key)?.until ?? -Infinity)
  }

  /** Milliseconds until the next call of the key may come back, 0 or more. */
  waitMs(key: string, now: number): number {
    if (this.forAll === undefined && this.forKey.size === 0) return 0
    return Math.max(waitFor(this.forAll, now), waitFor(this.forKey.get(key), now))
  }

  /** A call of the key has come back. */
  took(key: string, now: number, spacingMs: number): void {
    for (const pause of [this.forAll, this.forKey.get(key)]) {
      if (pause !== undefined && now < pause.pacedUntil) pause.nextAt = Math.max(pause.nextAt, now) + spacingMs
    }
  }

  get any(): boolean {
    return this.forAll !== undefined || this.forKey.size > 0
  }

  /** When the last pause that still goes on ends; undefined if none does. */
  latest(now: number): number | undefined {
    let latest = this.forAll?.until ?? -Infinity
    for (const { until } of this.forKey.values()) if (until > latest) latest = until
    return latest > now ? latest : undefined
  }

  private forgetOver(now: number): void {
    for (const [key, { pacedUntil }] of this.forKey) if (pacedUntil <= now) this.forKey.delete(key)
  }
}

function waitFor(pause: Pause | undefined, now: number): number {
  return pause === undefined || now >= pause.pacedUntil ? 0 : Math.max(0, pause.nextAt - now)
}
