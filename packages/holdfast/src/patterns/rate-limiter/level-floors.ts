/** The lowest level seen since a moment. */
export class LevelFloor {
  level = Infinity
  private lower: LevelFloor | undefined = undefined

  lowest(): number {
    let root: LevelFloor = this
    while (root.lower !== undefined) root = root.lower
    for (let floor: LevelFloor = this; floor !== root;) {
      const next = floor.lower as LevelFloor
      floor.lower = root
      floor = next
    }
    return root.level
  }

  join(lower: LevelFloor): void {
    this.lower = lower
  }
}

/**
 * How far a draining level fell since each of several moments. Without the units that are to be given back it would have been empty
 * earlier, and would have drained nothing then: of them only as many still count as the level never fell below.
 */
export class LevelFloors {
  /** By moment, the latest last; each is higher than the one before. */
  private readonly line: LevelFloor[] = []
  private watchers = 0

  /** Begins at this moment. */
  watch(): LevelFloor {
    this.watchers++
    const latest = this.line.at(-1)
    if (latest !== undefined && latest.level === Infinity) return latest
    const floor = new LevelFloor()
    this.line.push(floor)
    return floor
  }

  /** Answers how many still watch. */
  unwatch(): number {
    return --this.watchers
  }

  /** Units were given back as if they had never been taken: without them, the level was lower by as many at most, all the time. */
  lower(units: number): void {
    for (const floor of this.line) if (floor.level !== Infinity) floor.level = Math.max(0, floor.level - units)
  }

  observe(level: number): void {
    const { line } = this
    let latest = line.at(-1)
    if (latest === undefined || latest.level <= level) return
    latest.level = level
    for (let before = line.at(-2); before !== undefined && before.level >= level; before = line.at(-2)) {
      latest.join(before)
      before.level = level
      line.pop()
      latest = before
    }
  }
}
