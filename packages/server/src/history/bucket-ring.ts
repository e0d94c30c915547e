import type { Bucket } from '../wire.ts'
import { bucketsPerRange, columnNames, percentileNames } from './resolutions.ts'

/** Stands for a percentile of no attempts; no latency is as long as this many microseconds. */
const nothing = 0xffff_ffff

const inMicroseconds = new Set<string>(percentileNames)
const isPercentile = columnNames.map((name) => inMicroseconds.has(name))

/**
 * The last 180 buckets of one dependency at one resolution: 10 KB at most, 1 KB as long as nothing happens. Buckets are numbered from
 * the epoch. One that was never written is null: nothing was recorded; which is not the same as nothing having happened.
 */
export class BucketRing {
  /** Which bucket a place holds; 0: none. */
  private readonly numbers = new Uint32Array(bucketsPerRange)
  /** Made when there is something to tell. */
  private columns: Uint32Array | undefined = undefined

  write(number: number, bucket: Bucket): void {
    const place = number % bucketsPerRange
    this.numbers[place] = number
    const isIdle = bucket.requests === 0 && bucket.attempts === 0 && bucket.running === 0 && bucket.queued === 0
    if (this.columns === undefined && isIdle) return
    this.columns ??= new Uint32Array(bucketsPerRange * columnNames.length)
    const { columns } = this
    for (let index = 0; index < columnNames.length; index++) {
      const name = columnNames[index] as keyof Bucket
      columns[index * bucketsPerRange + place] =
        isPercentile[index] === true ? storedLatency(bucket[name]) : Math.min(bucket[name] ?? 0, nothing)
    }
  }

  has(number: number): boolean {
    return this.numbers[number % bucketsPerRange] === number
  }

  /** One column of the buckets from `from` up to but not including `to`. */
  column(name: keyof Bucket, from: number, to: number): (number | null)[] {
    const offset = columnNames.indexOf(name) * bucketsPerRange
    const values: (number | null)[] = []
    for (let number = from; number < to; number++)
      values.push(this.has(number) ? this.value(name, offset + (number % bucketsPerRange)) : null)
    return values
  }

  read(number: number): Bucket | undefined {
    if (!this.has(number)) return undefined
    const place = number % bucketsPerRange
    return Object.fromEntries(
      columnNames.map((name, index) => [name, this.value(name, index * bucketsPerRange + place)]),
    ) as unknown as Bucket
  }

  /** Sum of a column over the buckets from `from` up to but not including `to`. */
  sum(name: keyof Bucket, from: number, to: number): number {
    const { columns } = this
    if (columns === undefined) return 0
    const offset = columnNames.indexOf(name) * bucketsPerRange
    let sum = 0
    for (let number = from; number < to; number++) if (this.has(number)) sum += columns[offset + (number % bucketsPerRange)] as number
    return sum
  }

  /** Forgets a bucket and all later ones: the clock was set back. */
  cut(from: number): void {
    this.numbers.forEach((number, place) => {
      if (number >= from) this.numbers[place] = 0
    })
  }

  private value(name: keyof Bucket, at: number): number | null {
    if (this.columns === undefined) return inMicroseconds.has(name) ? null : 0
    const value = this.columns[at] as number
    if (!inMicroseconds.has(name)) return value
    // a column that is made late is 0 where nothing had happened; no attempt takes no time at all
    return value === nothing || value === 0 ? null : value / 1_000
  }
}

function storedLatency(value: number | null): number {
  return value === null ? nothing : Math.min(Math.max(1, Math.round(value * 1_000)), nothing - 1)
}
