import type { DependencyHistory, HistoryRange, Marker, WallHistory } from '../wire.ts'
import type { DependencyRecorder } from './dependency-recorder.ts'
import { bucketsPerRange, columnNames, finestStepMs, resolutions } from './resolutions.ts'

/** What answers are made of. */
export interface HistorySource {
  readonly at: number
  /** The finest bucket that has not ended. */
  readonly openNumber: number
  readonly recorders: readonly DependencyRecorder[]
  readonly markers: readonly Marker[]
}

export const historyRanges: readonly HistoryRange[] = resolutions.map(({ range }) => range)

export function wallHistory(source: HistorySource, range: HistoryRange): WallHistory {
  const frame = frameOf(source, range)
  const rows = source.recorders.map((recorder) => [
    recorder.name,
    {
      segments: recorder.timeline.segments(frame.answer.from, source.at),
      attempts: frame.column(recorder, 'attempts'),
      failures: frame.column(recorder, 'attemptFailures'),
    },
  ])
  return { ...frame.answer, rows: Object.fromEntries(rows) }
}

export function dependencyHistory(source: HistorySource, recorder: DependencyRecorder, range: HistoryRange): DependencyHistory {
  const frame = frameOf(source, range)
  return {
    ...frame.answer,
    segments: recorder.timeline.segments(frame.answer.from, source.at),
    columns: Object.fromEntries(columnNames.map((name) => [name, frame.column(recorder, name)])) as DependencyHistory['columns'],
  }
}

interface Frame {
  readonly answer: Pick<WallHistory, 'at' | 'range' | 'from' | 'stepMs' | 'markers'>
  column(recorder: DependencyRecorder, name: (typeof columnNames)[number]): readonly (number | null)[]
}

/** 180 buckets: of the finest resolution those that have ended, since the feed sends the next; of coarser ones the last has not. */
function frameOf({ at, openNumber, markers }: HistorySource, range: HistoryRange): Frame {
  const resolution = resolutions.findIndex((each) => each.range === range)
  const stepMs = resolutions[resolution]?.stepMs as number
  const open = Math.floor((openNumber * finestStepMs) / stepMs)
  const first = resolution === 0 ? open - bucketsPerRange : open - bucketsPerRange + 1
  const from = first * stepMs
  return {
    answer: { at, range, from, stepMs, markers: markers.filter((marker) => marker.at >= from).toSorted((a, b) => a.at - b.at) },
    column: (recorder, name) => {
      const ended = recorder.rings[resolution]?.column(name, first, open) ?? []
      return resolution === 0 ? ended : [...ended, recorder.current(resolution).toBucket()[name]]
    },
  }
}
