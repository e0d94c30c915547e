const scratch = new Float64Array(1)
const words = new Uint32Array(scratch.buffer)
scratch[0] = 1
const highWord = words[1] === 0 ? 0 : 1
const lowWord = 1 - highWord

/** Bits of the mantissa in the high word of a float64. */
const mantissaBits = 20

/** Layouts in use, most of them by many histograms. Bounded: the oldest makes room, and lives on where it is used. */
const layouts = new Map<string, HistogramLayout>()
const maxLayouts = 64

/** The layout for these settings; histograms with the same share one. */
export function sharedLayout(min: number, max: number, wantedError: number, edges: readonly number[]): HistogramLayout {
  const settings = [min, max, wantedError, ...edges].join(' ')
  const known = layouts.get(settings)
  if (known !== undefined) return known
  const [oldest] = layouts.keys()
  if (layouts.size >= maxLayouts && oldest !== undefined) layouts.delete(oldest)
  const made = new HistogramLayout(min, max, wantedError, edges)
  layouts.set(settings, made)
  return made
}

/**
 * How a histogram divides the positive numbers: cells `(lower, upper]` that grow in proportion to their values, so that a
 * value is known to within a constant relative error. Every octave has 2^n cells of equal width; which one holds a value is
 * read off the bits of its float64. Given edges subdivide the cells, so that counts up to an edge are exact.
 * The mapping is the log-linear one of HdrHistogram and of DDSketch (Masson, Rim, Lee, VLDB 2019).
 */
export class HistogramLayout {
  /** Upper edge of each cell, inclusive, ascending; the last is Infinity. */
  readonly uppers: Float64Array
  /** The largest relative error of a value told from its cell, for values from `min` to `max`. */
  readonly relativeError: number
  /** Identifies layouts that divide alike. */
  readonly key: string
  private readonly shift: number
  private readonly lowest: number
  private readonly lowestBits: number
  private readonly lastStep: number
  /** The first cell of every step: a step has more than one when an edge lies inside it. */
  private readonly firstCells: Uint32Array

  constructor(min: number, max: number, wantedError: number, edges: readonly number[]) {
    const bits = bitsFor(wantedError)
    this.relativeError = 1 / (2 ** (bits + 1) + 1)
    this.shift = mantissaBits - bits
    this.lowestBits = highBits(min) >>> this.shift
    this.lowest = this.stepEdge(0)
    this.lastStep = (highBitsBelow(max) >>> this.shift) - this.lowestBits + 2
    const stepUppers = Array.from({ length: this.lastStep + 1 }, (_, step) => (step === this.lastStep ? Infinity : this.stepEdge(step)))
    this.uppers = Float64Array.from(new Set([...stepUppers, ...edges])).toSorted()
    this.firstCells = new Uint32Array(stepUppers.length)
    let cell = 0
    for (let step = 1; step < stepUppers.length; step++) {
      while ((this.uppers[cell] as number) < (stepUppers[step - 1] as number)) cell++
      this.firstCells[step] = cell + 1
    }
    this.key = [min, max, bits, ...edges].join(' ')
  }

  /** The cell of a number of 0 or more. */
  cellOf(value: number): number {
    let step = 0
    if (value > this.lowest) {
      step = (highBitsBelow(value) >>> this.shift) - this.lowestBits + 1
      if (step > this.lastStep) step = this.lastStep
    }
    let cell = this.firstCells[step] as number
    while (value > (this.uppers[cell] as number)) cell++
    return cell
  }

  /** The cell that ends at an edge the layout was made with. */
  cellEndingAt(edge: number): number {
    return this.uppers.indexOf(edge)
  }

  /** The number that is at most {@link HistogramLayout.relativeError} away from every value of the cell. */
  estimate(cell: number): number {
    const upper = this.uppers[cell] as number
    const lower = cell === 0 ? 0 : (this.uppers[cell - 1] as number)
    if (upper === Infinity) return Infinity
    return lower === 0 ? upper : (2 * lower * upper) / (lower + upper)
  }

  private stepEdge(step: number): number {
    words[highWord] = (this.lowestBits + step) << this.shift
    words[lowWord] = 0
    return scratch[0] as number
  }
}

/** The fewest bits of mantissa that keep the error. */
function bitsFor(wantedError: number): number {
  let bits = 0
  while (1 / (2 ** (bits + 1) + 1) > wantedError) bits++
  return bits
}

function highBits(value: number): number {
  scratch[0] = value
  return words[highWord] as number
}

/** Of the next smaller float: cells include their upper edge. */
function highBitsBelow(value: number): number {
  scratch[0] = value
  const high = words[highWord] as number
  return words[lowWord] === 0 ? high - 1 : high
}
