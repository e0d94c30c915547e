/** Bytes of the heap after garbage collection, once a stretch. */
export type HeapSamples = readonly number[]

/** What a heap may grow by although nothing leaks: code is compiled late, and tables grow in steps. */
const allowedBytes = 1_000_000

export interface MemoryTrend {
  /** Between the medians of the second quarter and of the last: the first is warm-up. */
  readonly grownBytes: number
  readonly flat: boolean
}

export function memoryTrend(samples: HeapSamples): MemoryTrend {
  const quarter = Math.floor(samples.length / 4)
  const grownBytes = medianOf(samples.slice(-quarter)) - medianOf(samples.slice(quarter, 2 * quarter))
  return { grownBytes, flat: grownBytes <= allowedBytes }
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
