import { HoldfastError } from '../errors.ts'
import { checkOptionNames, invalidOption, numberOption, show } from '../options.ts'
import { sharedLayout, type HistogramLayout } from './histogram-layout.ts'

export interface LogHistogramOptions {
  /** Smallest value that is told from smaller ones, above 0; those count as `min`. @defaultValue 1e-6 (a microsecond, in seconds) */
  readonly min?: number
  /** Largest value that is told from larger ones; those count as the largest recorded. @defaultValue 1e4 (under three hours, in seconds) */
  readonly max?: number
  /** Largest relative error of percentiles, 0.001 to 0.25. The next finer power of two is used. @defaultValue 0.031 */
  readonly relativeError?: number
  /** Values up to which {@link LogHistogram.countUpTo} counts, exactly, ascending, above 0. @defaultValue none */
  readonly edges?: readonly number[]
}

/** Any number of values in constant memory, with percentiles of a known relative error. */
export interface LogHistogram {
  /** Values recorded. */
  readonly count: number
  readonly sum: number
  /** null without values. */
  readonly mean: number | null
  /** The largest value, exact (after {@link LogHistogram.since}: within the relative error); null without values. */
  readonly max: number | null
  /** The bound that holds for percentiles between the options `min` and `max`. */
  readonly relativeError: number
  /** Takes a value in. Negative ones count as 0; NaN and infinite ones are ignored. Allocates nothing. */
  record(value: number): void
  /**
   * The value that `share` (0..1) of the values do not exceed (nearest rank); null without values.
   * @throws HoldfastError `ERR_INVALID_ARGUMENT` for a share that is none.
   */
  percentile(share: number): number | null
  /** Values up to and including one of the option's `edges`. */
  countUpTo(edge: number): number
  /**
   * Adds the values of another histogram.
   * @throws HoldfastError `ERR_INVALID_ARGUMENT` when it was made with other options.
   */
  merge(other: LogHistogram): void
  /** What it holds, ascending, for storing: values to within the relative error, with how many there are of each. */
  filled(): readonly (readonly [value: number, count: number])[]
  /** Takes in what {@link LogHistogram.filled} told of a histogram with the same options: its percentiles are the same again. */
  restore(filled: Iterable<readonly [value: number, count: number]>): void
  copy(): LogHistogram
  /** What was recorded after `earlier`, a {@link LogHistogram.copy} of this histogram, was taken: the figures of one window. */
  since(earlier: LogHistogram): LogHistogram
  reset(): void
}

const owner = 'logHistogram'

/**
 * A histogram with cells that grow in proportion to their values: about 4 KB with the default options, however many values it takes.
 * @throws HoldfastError `ERR_INVALID_OPTION`.
 * @example `const latency = logHistogram(); latency.record(0.12); latency.percentile(0.99)`
 */
export function logHistogram(options: LogHistogramOptions = {}): LogHistogram {
  checkOptionNames(owner, options, ['min', 'max', 'relativeError', 'edges'])
  return new HistogramCells(layoutFor(owner, options))
}

/** Checks the options and makes the layout that histograms of a kind share. `edgesOption`: what the user calls the edges. */
export function layoutFor(speaker: string, options: LogHistogramOptions, edgesOption = 'edges'): HistogramLayout {
  const min = numberOption(speaker, 'min', options.min ?? 1e-6, { min: 1e-300, max: 1e300 })
  const max = numberOption(speaker, 'max', options.max ?? 1e4, { min: 1e-300, max: 1e300 })
  if (max <= min) throw invalidOption(speaker, 'max', max, `above 'min', which is ${min}`)
  const relativeError = numberOption(speaker, 'relativeError', options.relativeError ?? 0.031, { min: 0.001, max: 0.25 })
  const edges = options.edges ?? []
  if (!Array.isArray(edges)) throw invalidOption(speaker, edgesOption, edges, 'a list of numbers')
  edges.forEach((edge: unknown, index) => {
    const previous = (edges[index - 1] as number | undefined) ?? 0
    const fits = typeof edge === 'number' && edge > previous && edge < Infinity
    if (!fits) throw invalidOption(speaker, `${edgesOption}[${index}]`, edge, `a finite number above ${previous}`)
  })
  return sharedLayout(min, max, relativeError, edges as readonly number[])
}

/** Cells whose sum is kept beside them: percentiles skip a block at a time. A power of two. */
const blockCells = 32

/** Count, sum and largest value, after the cells and the blocks. */
const besides = 3

/** The histogram itself; the registry makes one for each series. */
export class HistogramCells implements LogHistogram {
  readonly layout: HistogramLayout
  private readonly cells: Float64Array
  private readonly blocksAt: number
  private readonly countAt: number
  private readonly sumAt: number
  private readonly maxAt: number

  constructor(layout: HistogramLayout) {
    this.layout = layout
    this.blocksAt = layout.uppers.length
    this.countAt = this.blocksAt + Math.ceil(this.blocksAt / blockCells)
    this.sumAt = this.countAt + 1
    this.maxAt = this.sumAt + 1
    this.cells = new Float64Array(this.countAt + besides)
  }

  get relativeError(): number {
    return this.layout.relativeError
  }

  get count(): number {
    return this.cells[this.countAt] as number
  }

  get sum(): number {
    return this.cells[this.sumAt] as number
  }

  get mean(): number | null {
    const { count } = this
    return count === 0 ? null : this.sum / count
  }

  get max(): number | null {
    return this.count === 0 ? null : (this.cells[this.maxAt] as number)
  }

  record(value: number): void {
    if (!(value < Infinity && value > -Infinity)) return
    const amount = value > 0 ? value : 0
    const { cells, sumAt, maxAt } = this
    this.addTo(this.layout.cellOf(amount), 1)
    cells[sumAt] = (cells[sumAt] as number) + amount
    if (amount > (cells[maxAt] as number)) cells[maxAt] = amount
  }

  percentile(share: number): number | null {
    if (!(share >= 0 && share <= 1)) {
      throw new HoldfastError({ code: 'ERR_INVALID_ARGUMENT', message: `percentile: ${show(share)} is no share from 0 to 1 (0.99 is p99)` })
    }
    return this.percentilesOf(this.count, [share])[0] as number | null
  }

  /** Several percentiles in one pass; the shares ascend, and `count` is {@link LogHistogram.count}. */
  percentilesOf(count: number, shares: readonly number[]): readonly (number | null)[] {
    let seen = 0
    let cell = -1
    return shares.map((share) => {
      if (count === 0) return null
      const rank = Math.max(1, Math.ceil(share * count))
      if (rank === count) return this.cells[this.maxAt] as number
      while (seen < rank) {
        const next = cell + 1
        const block = next % blockCells === 0 ? (this.cells[this.blocksAt + next / blockCells] as number) : Infinity
        if (seen + block < rank) {
          seen += block
          cell += blockCells
        } else {
          seen += this.cells[next] as number
          cell = next
        }
      }
      return Math.min(this.layout.estimate(cell), this.cells[this.maxAt] as number)
    })
  }

  countUpTo(edge: number): number {
    const cell = this.layout.cellEndingAt(edge)
    if (cell >= 0) return this.countCells(cell)
    throw new HoldfastError({ code: 'ERR_INVALID_ARGUMENT', message: `countUpTo: ${show(edge)} is none of the histogram's edges` })
  }

  /** How many values each of the cells `upTo` (ascending) and all before it hold. */
  cumulativeCounts(upTo: readonly number[]): readonly number[] {
    let cell = 0
    let seen = 0
    return upTo.map((last) => {
      for (; cell <= last; cell++) seen += this.cells[cell] as number
      return seen
    })
  }

  merge(other: LogHistogram): void {
    const { cells, maxAt } = this
    const theirs = this.sameLayout(other).cells
    for (let index = 0; index < maxAt; index++) cells[index] = (cells[index] as number) + (theirs[index] as number)
    cells[maxAt] = Math.max(cells[maxAt] as number, theirs[maxAt] as number)
  }

  filled(): readonly (readonly [number, number])[] {
    const filled: (readonly [number, number])[] = []
    const largest = this.cells[this.maxAt] as number
    for (let cell = 0; cell < this.blocksAt; cell++) {
      const count = this.cells[cell] as number
      if (count > 0) filled.push([Math.min(this.layout.estimate(cell), largest), count])
    }
    const last = filled.pop()
    // the last cell holds the largest value, which is known exactly
    if (last !== undefined) filled.push([largest, last[1]])
    return filled
  }

  restore(filled: Iterable<readonly [number, number]>): void {
    const { cells, sumAt, maxAt } = this
    for (const [value, count] of filled) {
      this.addTo(this.layout.cellOf(value), count)
      cells[sumAt] = (cells[sumAt] as number) + value * count
      if (value > (cells[maxAt] as number)) cells[maxAt] = value
    }
  }

  copy(): HistogramCells {
    const copied = new HistogramCells(this.layout)
    copied.cells.set(this.cells)
    return copied
  }

  since(earlier: LogHistogram): LogHistogram {
    const before = this.sameLayout(earlier).cells
    const later = new HistogramCells(this.layout)
    let lastFilled = -1
    for (let cell = 0; cell < this.blocksAt; cell++) {
      const grown = (this.cells[cell] as number) - (before[cell] as number)
      if (grown <= 0) continue
      later.addTo(cell, grown)
      lastFilled = cell
    }
    later.cells[this.sumAt] = Math.max(0, this.sum - (before[this.sumAt] as number))
    const largest = this.cells[this.maxAt] as number
    const isNew = largest > (before[this.maxAt] as number)
    if (lastFilled >= 0) later.cells[this.maxAt] = isNew ? largest : Math.min(this.layout.estimate(lastFilled), largest)
    return later
  }

  reset(): void {
    this.cells.fill(0)
  }

  private addTo(cell: number, count: number): void {
    const { cells, countAt } = this
    const block = this.blocksAt + Math.floor(cell / blockCells)
    cells[cell] = (cells[cell] as number) + count
    cells[block] = (cells[block] as number) + count
    cells[countAt] = (cells[countAt] as number) + count
  }

  private countCells(last: number): number {
    let seen = 0
    for (let cell = 0; cell <= last; cell++) seen += this.cells[cell] as number
    return seen
  }

  private sameLayout(other: LogHistogram): HistogramCells {
    if (other instanceof HistogramCells && other.layout.key === this.layout.key) return other
    throw new HoldfastError({
      code: 'ERR_INVALID_ARGUMENT',
      message: 'histograms can be combined only when they were made with the same options',
    })
  }
}
