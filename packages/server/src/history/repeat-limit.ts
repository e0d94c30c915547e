/** What can happen once per request; everything else is a change that somebody may have to know of. */
const frequent = /^(retry|timeout|fallback|bulkhead|limiter)\./

const perSecond = { frequent: 5, change: 100 }
const maxKinds = 10_000

/** Lets a few events of a kind through per second and counts the rest, so that a storm neither fills the log nor floods those who watch. */
export class RepeatLimit {
  private readonly kinds = new Map<string, { second: number; taken: number; left: number }>()

  /** Answers how many of the kind were left out before this one; undefined when this one is left out too. */
  take(type: string, policy: string, at: number): number | undefined {
    const second = Math.floor(at / 1_000)
    const key = `${type} ${policy}`
    const kind = this.kinds.get(key) ?? this.begin(key, second)
    if (kind.second !== second) {
      kind.second = second
      kind.taken = 0
    }
    if (kind.taken >= (frequent.test(type) ? perSecond.frequent : perSecond.change)) {
      kind.left++
      return undefined
    }
    kind.taken++
    const { left } = kind
    kind.left = 0
    return left
  }

  private begin(key: string, second: number): { second: number; taken: number; left: number } {
    if (this.kinds.size >= maxKinds) this.kinds.clear()
    const kind = { second, taken: 0, left: 0 }
    this.kinds.set(key, kind)
    return kind
  }
}
