/** One pause of a quota and its end: calls come back one after another. Instants are monotonic ms. */
interface Pause {
  readonly until: number
  /** When the next call may come back. */
  nextAt: number
  /** From when on calls are no longer spaced. */
  readonly pacedUntil: number
}

/** How calls come back after a pause. */
export interface Pace {
  /** Calls that wait for their turn. */
  readonly waiting: number
  /** Shortest time from one call to the next. */
  readonly leastSpacingMs: number
}

/** How far a call may be behind its turn without delaying those after it: timers are late by a few milliseconds. */
const latenessMs = 5

/** Pauses of a quota, for all keys or for one. */
export class Pauses {
  private forAll: Pause | undefined = undefined
  private readonly forKey = new Map<string, Pause>()
  private maxKeys: number
  private resumeOverMs: number
  /** When the last of them is over. */
  private overAt = -Infinity

  constructor(maxKeys: number, resumeOverMs: number) {
    this.maxKeys = maxKeys
    this.resumeOverMs = resumeOverMs
  }

  /** For the pauses to come; those that go on end as they were meant to. */
  reconfigure(maxKeys: number, resumeOverMs: number): void {
    this.maxKeys = maxKeys
    this.resumeOverMs = resumeOverMs
  }

  /** Whether anything is paused, or resuming. */
  isActive(now: number): boolean {
    if (now < this.overAt) return true
    if (this.overAt !== -Infinity) this.resume(undefined)
    return false
  }

  /** The longest pause wins. Answers whether this one is new or longer. */
  pause(key: string | undefined, until: number, now: number): boolean {
    const longest = key === undefined ? this.forAll?.until : this.until(key)
    if (until <= Math.max(now, longest ?? -Infinity)) return false
    const pause = { until, nextAt: until, pacedUntil: until + this.resumeOverMs }
    this.overAt = Math.max(this.overAt, pause.pacedUntil)
    // too many keys to tell apart: rather pause all than none
    if (key === undefined || !this.hasRoom(key, now)) this.forAll = pause
    else this.forKey.set(key, pause)
    return true
  }

  resume(key: string | undefined): void {
    if (key === undefined) {
      this.forAll = undefined
      this.forKey.clear()
      this.overAt = -Infinity
    } else this.forKey.delete(key)
  }

  /** Until when the key is paused; -Infinity if it never was. */
  until(key: string): number {
    return Math.max(this.forAll?.until ?? -Infinity, this.forKey.get(key)?.until ?? -Infinity)
  }

  /** Milliseconds until the next call of the key may come back, 0 or more. */
  waitMs(key: string, now: number): number {
    return Math.max(waitFor(this.forAll, now), waitFor(this.forKey.get(key), now))
  }

  /** For how long calls of the key that come back at an instant may still be spread. */
  pacedMs(key: string, at: number): number {
    const pacedUntil = Math.max(this.forAll?.pacedUntil ?? -Infinity, this.forKey.get(key)?.pacedUntil ?? -Infinity)
    return Math.min(this.resumeOverMs, Math.max(0, pacedUntil - at))
  }

  /** A call of the key has come back: the next one's turn is later. */
  took(key: string, now: number, ofAll: Pace, ofKey: Pace): void {
    space(this.forAll, now, ofAll)
    space(this.forKey.get(key), now, ofKey)
  }

  /** When the last pause that still goes on ends; undefined if none does. */
  latest(now: number): number | undefined {
    let latest = this.forAll?.until ?? -Infinity
    for (const { until } of this.forKey.values()) if (until > latest) latest = until
    return latest > now ? latest : undefined
  }

  private hasRoom(key: string, now: number): boolean {
    if (this.forKey.size < this.maxKeys || this.forKey.has(key)) return true
    for (const [other, { pacedUntil }] of this.forKey) if (pacedUntil <= now) this.forKey.delete(other)
    return this.forKey.size < this.maxKeys
  }
}

function waitFor(pause: Pause | undefined, now: number): number {
  return pause === undefined || now >= pause.pacedUntil ? 0 : Math.max(0, pause.nextAt - now)
}

/** Those who wait are spread evenly over what is left of the resumption. */
function space(pause: Pause | undefined, now: number, { waiting, leastSpacingMs }: Pace): void {
  if (pause === undefined || now >= pause.pacedUntil) return
  const evenly = waiting === 0 ? 0 : (pause.pacedUntil - now) / (waiting + 1)
  pause.nextAt = Math.max(pause.nextAt, now - latenessMs) + Math.max(evenly, leastSpacingMs)
}
