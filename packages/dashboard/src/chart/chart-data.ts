/** A series of a chart: one value per bucket, null where nothing was recorded. */
export interface ChartSeries {
  readonly label: string
  readonly values: readonly (number | null)[]
  /** As in a style sheet: `var(--ok)`. */
  readonly color: string
  /** `area` series lie on one another, in their order; `line` series stand for themselves. */
  readonly form: 'area' | 'line'
  /** An area drawn in stripes. @defaultValue false */
  readonly isStriped?: boolean
  /** Dashes in CSS pixels, so that colour is not the only difference. */
  readonly dash?: readonly number[]
  /** In CSS pixels. @defaultValue 1.25 */
  readonly width?: number
}

/** A value that is not crossed, or at which something happens: a timeout, a number of places. */
export interface ChartLimit {
  readonly label: string
  readonly value: number
}

/** The middle of each bucket, in epoch seconds as the chart library wants them. */
export function bucketTimes(from: number, stepMs: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => (from + (index + 0.5) * stepMs) / 1_000)
}

/**
 * What is drawn of each series: areas upon the sum of the areas before them, lines as they are. Nothing recorded stays nothing:
 * a gap, not a zero.
 */
export function stacked(series: readonly ChartSeries[]): (number | null)[][] {
  const sums: number[] = []
  return series.map(({ form, values }) => {
    if (form === 'line') return [...values]
    return values.map((value, index) => {
      if (value === null) return null
      const sum = (sums[index] ?? 0) + value
      sums[index] = sum
      return sum
    })
  })
}

/** The bucket that covers an instant; null outside. */
export function bucketAt(at: number, from: number, stepMs: number, count: number): number | null {
  const index = Math.floor((at - from) / stepMs)
  return index >= 0 && index < count ? index : null
}

/** The newest bucket in which anything was recorded; the last one when nothing was. */
export function latestBucket(series: readonly ChartSeries[], count: number): number {
  for (let index = count - 1; index >= 0; index--) if (series.some(({ values }) => (values[index] ?? null) !== null)) return index
  return count - 1
}

/** A limit this many times above the data would flatten it: such a limit is named at the upper edge instead. */
const farAway = 4

/** Ends of a linear scale from 0: all the data, and the limits that are not far above it. */
export function linearScale(
  drawn: readonly (readonly (number | null)[])[],
  limits: readonly ChartLimit[],
  least: number,
): { min: number; max: number } {
  const highest = Math.max(least, ...drawn.map(highestOf))
  const near = limits.map(({ value }) => value).filter((value) => value <= highest * farAway)
  return { min: 0, max: Math.max(highest, ...near) * 1.08 }
}

/** Ends of a logarithmic scale: whole decades' halves (1, 3.16, 10 …) around data and limits. */
export function logScale(drawn: readonly (readonly (number | null)[])[], limits: readonly ChartLimit[]): { min: number; max: number } {
  const values = drawn.flatMap((each) => each.filter((value): value is number => value !== null && value > 0))
  const ends = [...limits.map(({ value }) => value), ...(values.length === 0 ? [1, 1_000] : [])]
  const lowest = Math.min(...ends, lowestOf(values))
  const highest = Math.max(...ends, highestOf(values))
  const halfDecades = (value: number): number => Math.log10(value) * 2
  const min = 10 ** (Math.floor(halfDecades(Math.max(lowest, 0.1)) - 0.01) / 2)
  const max = 10 ** (Math.ceil(halfDecades(Math.max(highest, 0.2)) + 0.01) / 2)
  return { min, max }
}

/** Places of ticks on a logarithmic scale: 1, 10, 100 …, with 3 and 30 between them when there are few. */
export function logTicks(min: number, max: number): number[] {
  const steps = Math.log10(max / min) <= 2.2 ? [1, 3] : [1]
  const ticks: number[] = []
  for (let power = Math.floor(Math.log10(min)); 10 ** power <= max; power++) {
    for (const step of steps) {
      const tick = Number((step * 10 ** power).toPrecision(3))
      if (tick >= min * 0.999 && tick <= max * 1.001) ticks.push(tick)
    }
  }
  return ticks
}

function highestOf(values: readonly (number | null)[]): number {
  let highest = 0
  for (const value of values) if (value !== null && value > highest) highest = value
  return highest
}

function lowestOf(values: readonly number[]): number {
  let lowest = Infinity
  for (const value of values) if (value < lowest) lowest = value
  return lowest
}
