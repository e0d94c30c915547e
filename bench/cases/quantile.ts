import { createHistogram } from 'node:perf_hooks'
import { build } from 'hdr-histogram-js'
import { logHistogram, seededRandom, type LogHistogram } from 'holdfast'
import { TDigest } from 'tdigest'
import type { Case, FreshContestant, Role } from '../case.ts'
import { names } from '../contestants/common.ts'
import { worked } from '../contestants/work.ts'
import { collectOnDemand, residentBytesEach } from '../fresh/memory.ts'

const hourUs = 3_600_000_000

/** 4,096 log-normal latencies around 50 ms, in µs. */
const latencies = logNormal()

function logNormal(): Float64Array {
  const random = seededRandom(95)
  return Float64Array.from({ length: 4_096 }, () => {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    return Math.max(1, Math.round(50_000 * Math.exp(0.8 * normal)))
  })
}

/** One way of keeping a distribution. */
interface Sketch {
  record(value: number): void
  p95(): number
}

function ours(): Sketch {
  const histogram: LogHistogram = logHistogram({ min: 1, max: hourUs, relativeError: 0.02 })
  return { record: (value) => histogram.record(value), p95: () => histogram.percentile(0.95) ?? 0 }
}

function ofNode(): Sketch {
  const histogram = createHistogram({ lowest: 1, highest: hourUs, figures: 2 })
  return { record: (value) => histogram.record(value), p95: () => histogram.percentile(95) }
}

function hdr(packed: boolean): () => Sketch {
  return () => {
    const histogram = build({
      lowestDiscernibleValue: 1,
      highestTrackableValue: hourUs,
      numberOfSignificantValueDigits: 2,
      bitBucketSize: packed ? 'packed' : 32,
    })
    return { record: (value) => histogram.recordValue(value), p95: () => histogram.getValueAtPercentile(95) }
  }
}

function tdigest(): Sketch {
  const digest = new TDigest()
  return { record: (value) => digest.push(value), p95: () => digest.percentile(0.95) ?? 0 }
}

const sketches: readonly { readonly name: string; readonly role: Role; readonly make: () => Sketch }[] = [
  { name: 'holdfast', role: 'ours', make: ours },
  { name: names.nodeHistogram, role: 'peer', make: ofNode },
  { name: `${names.hdr}, 32 bits`, role: 'peer', make: hdr(false) },
  { name: `${names.hdr}, packed`, role: 'peer', make: hdr(true) },
  { name: names.tdigest, role: 'peer', make: tdigest },
]

function filled(make: () => Sketch): Sketch {
  const sketch = make()
  for (const value of latencies) sketch.record(value)
  return sketch
}

function freshly(measure: (make: () => Sketch) => number | Promise<number>): readonly FreshContestant[] {
  return sketches.map(({ name, role, make }) => ({ name, role, measure: () => measure(make) }))
}

/** Relative error of p95 against nearest rank, in %. */
function errorOf(make: () => Sketch): number {
  const exact = latencies.toSorted()[Math.ceil(0.95 * latencies.length) - 1] as number
  return (Math.abs(filled(make).p95() - exact) / exact) * 100
}

export const quantiles: readonly Case[] = [
  {
    kind: 'timed',
    name: 'quantile-insert',
    title: 'Latency distribution: one value in',
    note: '',
    unit: 'ns',
    gates: [{ kind: 'must', versus: names.nodeHistogram, atMost: 2 }],
    contestants: () =>
      sketches.map(({ name, role, make }) => {
        const sketch = filled(make)
        const call = (): void => {
          for (const value of latencies) sketch.record(value)
          worked.calls += latencies.length
        }
        return { name, role, call, operations: latencies.length, synchronous: true }
      }),
  },
  {
    kind: 'timed',
    name: 'quantile-p95',
    title: 'Latency distribution: p95 out',
    note: '',
    unit: 'ns',
    gates: [{ kind: 'must', versus: names.nodeHistogram, atMost: 1 }],
    contestants: () =>
      sketches.map(({ name, role, make }) => {
        const sketch = filled(make)
        const call = (): void => {
          if (sketch.p95() > 0) worked.calls++
        }
        return { name, role, call, synchronous: true }
      }),
  },
  {
    kind: 'fresh',
    name: 'quantile-bytes',
    title: 'Latency distribution: memory',
    note: 'By the memory of the process, since part of the Node histogram lies outside the heap. All hold 4,096 values.',
    unit: 'bytes',
    gates: [{ kind: 'must', versus: names.nodeHistogram, atMost: 0.5 }],
    nodeOptions: collectOnDemand,
    contestants: () => freshly((make) => residentBytesEach(3_000, () => filled(make))),
  },
  {
    kind: 'fresh',
    name: 'quantile-error',
    title: 'Latency distribution: error of p95',
    note: '',
    unit: '%',
    gates: [{ kind: 'must', versus: 'nothing', atMost: 2 }],
    contestants: () => freshly(errorOf),
  },
]
