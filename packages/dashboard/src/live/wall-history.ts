import type { Delta, DependencyView, HistoryRange, Marker, Segment, WallHistory } from '@holdfast/server/wire'
import type { Entries } from './live-model.ts'

export type EndedBucket = NonNullable<Delta['bucket']>

type Column = readonly (number | null)[]

export interface WallRow {
  readonly segments: readonly Segment[]
  /** One value per bucket. */
  readonly attempts: Column
  readonly failures: Column
}

/** What the wall draws: the history as it was read, and what has come since. */
export interface WallFrame {
  readonly range: HistoryRange
  /** Start of the first bucket, epoch ms. */
  readonly from: number
  readonly stepMs: number
  readonly buckets: number
  readonly markers: readonly Marker[]
  readonly rows: ReadonlyMap<string, WallRow>
}

export function frameOf({ range, from, stepMs, markers, rows }: WallHistory): WallFrame {
  const buckets = Object.values(rows).reduce((most, { attempts }) => Math.max(most, attempts.length), 0)
  return { range, from, stepMs, buckets, markers, rows: new Map(Object.entries(rows)) }
}

/** The frame with a bucket that has ended since; the same frame when it knew it. Of another resolution, nothing is taken. */
export function withBucket(frame: WallFrame, bucket: EndedBucket): WallFrame {
  const { from, stepMs, buckets, rows } = frame
  const index = Math.round((bucket.from - from) / stepMs)
  if (bucket.stepMs !== stepMs || index < buckets) return frame
  const drop = buckets === 0 ? 0 : index + 1 - buckets
  const missing = Array.from({ length: index - buckets }, () => null)
  const moved = (column: Column, value: number | null): Column =>
    [...column.slice(drop), ...missing.slice(-buckets), value].slice(-buckets || undefined)
  const names = new Set([...rows.keys(), ...Object.keys(bucket.rows)])
  const next = new Map<string, WallRow>()
  for (const name of names) {
    const row = rows.get(name) ?? { segments: [], attempts: emptyColumn(buckets), failures: emptyColumn(buckets) }
    const news = bucket.rows[name]
    next.set(name, {
      segments: row.segments,
      attempts: moved(row.attempts, news?.attempts ?? null),
      failures: moved(row.failures, news?.attemptFailures ?? null),
    })
  }
  return { ...frame, from: from + drop * stepMs, buckets: Math.max(buckets, 1), rows: next }
}

function emptyColumn(length: number): Column {
  return Array.from({ length }, () => null)
}

/** The frame with the states as they are now: a state that has changed ends the segment before. The same frame when none has. */
export function withStates(frame: WallFrame, dependencies: Entries<DependencyView>): WallFrame {
  let rows: Map<string, WallRow> | undefined
  for (const { name, state, since, forced } of Object.values(dependencies)) {
    const row = frame.rows.get(name)
    const last = row?.segments.at(-1)
    const isForced = forced !== null
    if (last !== undefined && last.to === null && last.state === state && last.forced === isForced) continue
    rows ??= new Map(frame.rows)
    const from = Math.max(since, last?.from ?? since)
    const ended = last === undefined ? [] : [...(row?.segments.slice(0, -1) ?? []), { ...last, to: last.to ?? from }]
    rows.set(name, {
      segments: [...ended, { from, to: null, state, forced: isForced }],
      attempts: row?.attempts ?? emptyColumn(frame.buckets),
      failures: row?.failures ?? emptyColumn(frame.buckets),
    })
  }
  return rows === undefined ? frame : { ...frame, rows }
}

/** What a row shows of one instant. */
export interface InstantFigures {
  readonly state: Segment['state']
  readonly forced: boolean
  readonly attemptsPerSecond: number | null
  /** Of attempts; null without any. */
  readonly failureRatio: number | null
}

export function figuresAt({ from, stepMs, rows }: WallFrame, name: string, at: number): InstantFigures {
  const row = rows.get(name)
  const index = Math.floor((at - from) / stepMs)
  const attempts = row?.attempts[index] ?? null
  const failures = row?.failures[index] ?? null
  const segment = row?.segments.findLast((each) => each.from <= at && (each.to ?? Infinity) > at)
  return {
    state: segment?.state ?? 'unknown',
    forced: segment?.forced ?? false,
    attemptsPerSecond: attempts === null ? null : attempts / (stepMs / 1_000),
    failureRatio: attempts === null || attempts === 0 || failures === null ? null : failures / attempts,
  }
}

/**
 * When the trouble of a dependency began: the first of the states other than closed that follow one another up to now. An open circuit
 * that is probed again and again has been in trouble all the time.
 */
export function troubleSince(frame: WallFrame | null, { name, since }: Pick<DependencyView, 'name' | 'since'>): number {
  const segments = frame?.rows.get(name)?.segments ?? []
  let first = since
  for (const { state, from } of segments.toReversed()) {
    if (state === 'closed' || state === 'passing' || state === 'unknown') break
    first = Math.min(first, from)
  }
  return first
}
