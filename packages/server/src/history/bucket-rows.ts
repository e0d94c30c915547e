import type { Bucket } from '../wire.ts'
import { countNames, levelNames, percentileNames } from './resolutions.ts'
import { latencies, Tally } from './tally.ts'
import { VarintReader, VarintWriter } from './varint.ts'

/** One bucket of one dependency, as stored. */
export interface StoredBucket {
  /** The number under which the store knows the dependency's name. */
  readonly dependency: number
  readonly bucket: Bucket
  /** Latencies of its attempts; only fine buckets have them stored. */
  readonly latencies: readonly (readonly [valueMs: number, count: number])[]
}

export interface PackedEntry {
  readonly dependency: number
  readonly bucket: Bucket
  /** What the bucket was made of. */
  readonly tally: Tally
}

/**
 * All dependencies' buckets of one stretch of time as one row. `withLatencies`: so that coarser buckets can be put together again
 * from them after a restart, with percentiles that are those of all their attempts.
 */
export function packBuckets(entries: Iterable<PackedEntry>, withLatencies: boolean): Uint8Array {
  const row = new VarintWriter()
  for (const { dependency, tally, bucket } of entries) {
    row.write(dependency)
    row.write(tally.isEmpty ? 0 : 1)
    if (tally.isEmpty) continue
    for (const name of countNames) row.write(bucket[name])
    for (const name of percentileNames) row.write(bucket[name] === null ? 0 : 1 + microseconds(bucket[name]))
    for (const name of levelNames) row.write(bucket[name])
    const filled = (withLatencies ? tally.latencies?.filled() : undefined) ?? []
    row.write(filled.length)
    for (const [value, count] of filled) {
      row.write(microseconds(value))
      row.write(count)
    }
  }
  return row.take()
}

/**
 * Visits every bucket of a row. `withLatencies`: otherwise they are skipped.
 * @throws RangeError when the row is no whole one.
 */
export function unpackBuckets(row: Uint8Array, withLatencies: boolean, visit: (stored: StoredBucket) => void): void {
  const reader = new VarintReader(row)
  const read = (): number => reader.read()
  const readPercentile = (): number | null => {
    const value = reader.read()
    return value === 0 ? null : (value - 1) / 1_000
  }
  while (!reader.isAtEnd) {
    const dependency = read()
    if (read() === 0) {
      visit({ dependency, bucket: idle, latencies: [] })
      continue
    }
    // in the order of the columns
    const bucket: Bucket = {
      requests: read(),
      succeeded: read(),
      failed: read(),
      refused: read(),
      fallback: read(),
      cancelled: read(),
      attempts: read(),
      attemptFailures: read(),
      p50Ms: readPercentile(),
      p95Ms: readPercentile(),
      p99Ms: readPercentile(),
      running: read(),
      queued: read(),
    }
    const filled: (readonly [number, number])[] = []
    for (let left = read(); left > 0; left--) {
      const value = read() / 1_000
      const count = read()
      if (withLatencies) filled.push([value, count])
    }
    visit({ dependency, bucket, latencies: filled })
  }
}

const idle: Bucket = new Tally().toBucket()

/** A stored fine bucket as something that can be added up. */
export function tallyOf({ bucket, latencies: filled }: StoredBucket): Tally {
  const tally = new Tally()
  for (const name of countNames) tally.counts[name] = bucket[name]
  tally.running = bucket.running
  tally.queued = bucket.queued
  if (filled.length > 0) {
    tally.latencies = latencies()
    tally.latencies.restore(filled)
  }
  return tally
}

function microseconds(ms: number): number {
  return Math.round(ms * 1_000)
}
