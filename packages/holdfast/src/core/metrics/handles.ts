import type { Exemplars } from './exemplars.ts'
import { HistogramCells, type LogHistogram } from './log-histogram.ts'
import { nowhere, type Slot, type SlotPool } from './slots.ts'

/** One series of a counter, resolved once: writing costs an addition. After its series was removed it writes nowhere. */
export interface CounterHandle {
  inc(): void
  /** Adds 0 or more; anything else is ignored. */
  add(amount: number): void
  readonly value: number
}

/** One series of a gauge, resolved once. After its series was removed it writes nowhere. */
export interface GaugeHandle {
  /** NaN says that the value is not known. */
  set(value: number): void
  inc(): void
  dec(): void
  /** Adds a finite number, of either sign; anything else is ignored. */
  add(amount: number): void
  readonly value: number
}

/** One series of a histogram, resolved once. After its series was removed it writes nowhere. */
export interface HistogramHandle {
  /** Takes a value in. The trace it came from is kept as an exemplar when the metric was declared with `exemplars`. */
  observe(value: number, traceId?: string): void
  readonly count: number
  readonly sum: number
  /** As {@link LogHistogram.percentile}, of everything since the start. */
  percentile(share: number): number | null
  /** The distribution at this moment: two of them, {@link LogHistogram.since} one another, give the figures of a window. */
  distribution(): LogHistogram
}

/** What a family needs of the handles it makes. */
export interface Detachable {
  /** Ends all writing to the series: its place may go to another. */
  detach(): void
}

class ScalarHandle implements Detachable {
  protected cells: Float64Array
  protected index: number
  private readonly pool: SlotPool
  private slot: Slot

  constructor(pool: SlotPool) {
    this.pool = pool
    this.slot = pool.take()
    this.cells = this.slot.cells
    this.index = this.slot.index
  }

  get value(): number {
    return this.slot === nowhere ? 0 : (this.cells[this.index] as number)
  }

  inc(): void {
    this.cells[this.index] = (this.cells[this.index] as number) + 1
  }

  detach(): void {
    if (this.slot === nowhere) return
    this.pool.giveBack(this.slot)
    this.slot = nowhere
    this.cells = nowhere.cells
    this.index = nowhere.index
  }
}

export class CounterSeries extends ScalarHandle implements CounterHandle {
  add(amount: number): void {
    if (amount >= 0 && amount < Infinity) this.cells[this.index] = (this.cells[this.index] as number) + amount
  }
}

export class GaugeSeries extends ScalarHandle implements GaugeHandle {
  set(value: number): void {
    this.cells[this.index] = value
  }

  dec(): void {
    this.cells[this.index] = (this.cells[this.index] as number) - 1
  }

  add(amount: number): void {
    if (amount < Infinity && amount > -Infinity) this.cells[this.index] = (this.cells[this.index] as number) + amount
  }
}

export class HistogramSeries implements HistogramHandle, Detachable {
  /** Taken away when the series is removed. */
  private histogram: HistogramCells | undefined
  readonly exemplars: Exemplars | undefined
  private readonly layout: HistogramCells['layout']

  constructor(layout: HistogramCells['layout'], exemplars: Exemplars | undefined) {
    this.layout = layout
    this.histogram = new HistogramCells(layout)
    this.exemplars = exemplars
  }

  get count(): number {
    return this.histogram?.count ?? 0
  }

  get sum(): number {
    return this.histogram?.sum ?? 0
  }

  observe(value: number, traceId?: string): void {
    if (this.histogram === undefined) return
    this.histogram.record(value)
    if (this.exemplars !== undefined && typeof traceId === 'string') this.exemplars.keep(value, traceId)
  }

  percentile(share: number): number | null {
    return this.cells().percentile(share)
  }

  distribution(): LogHistogram {
    return this.cells().copy()
  }

  cells(): HistogramCells {
    return this.histogram ?? new HistogramCells(this.layout)
  }

  detach(): void {
    this.histogram = undefined
  }
}
