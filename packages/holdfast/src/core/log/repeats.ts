/** What was held back of one kind of line. */
export interface HeldBack<About> {
  readonly about: About
  readonly count: number
}

interface Kind<About> {
  readonly about: About
  windowStartedAt: number
  written: number
  suppressed: number
}

/** Lets a few lines of each kind through in every window and counts the rest. Owns no timer, and remembers a bounded number of kinds. */
export class RepeatLimit<About> {
  private readonly kinds = new Map<string, Kind<About>>()
  private readonly maxPerWindow: number
  private readonly windowMs: number
  private readonly maxKinds: number
  private readonly onForget: (held: HeldBack<About>) => void

  /** `onForget` hears of lines held back of a kind that had to make room. */
  constructor(maxPerWindow: number, windowMs: number, maxKinds: number, onForget: (held: HeldBack<About>) => void) {
    this.maxPerWindow = maxPerWindow
    this.windowMs = windowMs
    this.maxKinds = maxKinds
    this.onForget = onForget
  }

  /**
   * How many lines of the kind were held back before this one; undefined when this one is to be held back as well.
   * `about` is kept for as long as the kind is known.
   */
  admit(kind: string, about: About, now: number): number | undefined {
    const known = this.kinds.get(kind)
    if (known === undefined) {
      if (this.kinds.size >= this.maxKinds) this.forgetOldest()
      this.kinds.set(kind, { about, windowStartedAt: now, written: 1, suppressed: 0 })
      return 0
    }
    const isOver = now - known.windowStartedAt >= this.windowMs || now < known.windowStartedAt
    if (!isOver && known.written >= this.maxPerWindow) {
      known.suppressed++
      return undefined
    }
    const { suppressed } = known
    known.written = isOver ? 1 : known.written + 1
    known.suppressed = 0
    if (isOver) {
      known.windowStartedAt = now
      this.kinds.delete(kind)
      this.kinds.set(kind, known)
    }
    return suppressed
  }

  /** Everything held back so far; it counts as told. */
  drain(): readonly HeldBack<About>[] {
    const held: HeldBack<About>[] = []
    for (const kind of this.kinds.values()) {
      if (kind.suppressed > 0) held.push({ about: kind.about, count: kind.suppressed })
      kind.suppressed = 0
    }
    return held
  }

  private forgetOldest(): void {
    const [name, kind] = this.kinds.entries().next().value as [string, Kind<About>]
    this.kinds.delete(name)
    if (kind.suppressed > 0) this.onForget({ about: kind.about, count: kind.suppressed })
  }
}
