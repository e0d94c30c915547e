/** A value of one histogram bucket with the trace it came from. */
export interface Exemplar {
  readonly traceId: string
  readonly value: number
  /** Epoch ms. */
  readonly at: number
}

/** Trace ids of W3C, B3, X-Ray, Datadog and UUIDs. Free text must not reach the metrics page; OpenMetrics allows 128 characters. */
const traceIdText = /^[0-9a-fA-F-]{1,64}$/

/** The latest exemplar of every bucket of one series. */
export class Exemplars {
  private readonly bounds: readonly number[]
  private readonly wallNow: () => number
  private readonly traceIds: (string | undefined)[]
  private readonly values: Float64Array
  private readonly times: Float64Array

  /** `bounds`: the buckets' upper bounds, ascending, without Infinity. */
  constructor(bounds: readonly number[], wallNow: () => number) {
    this.bounds = bounds
    this.wallNow = wallNow
    this.traceIds = Array.from({ length: bounds.length + 1 }, () => undefined)
    this.values = new Float64Array(bounds.length + 1)
    this.times = new Float64Array(bounds.length + 1)
  }

  /** Ignores what is no trace id. */
  keep(value: number, traceId: string): void {
    if (!(value >= 0 && value < Infinity) || !traceIdText.test(traceId)) return
    const bucket = this.bucketOf(value)
    this.traceIds[bucket] = traceId
    this.values[bucket] = value
    this.times[bucket] = this.wallNow()
  }

  /** That of a bucket, by its place among the bounds; the place after the last is that of Infinity. */
  of(bucket: number): Exemplar | undefined {
    const traceId = this.traceIds[bucket]
    if (traceId === undefined) return undefined
    return { traceId, value: this.values[bucket] as number, at: this.times[bucket] as number }
  }

  private bucketOf(value: number): number {
    let bucket = 0
    while (bucket < this.bounds.length && value > (this.bounds[bucket] as number)) bucket++
    return bucket
  }
}
