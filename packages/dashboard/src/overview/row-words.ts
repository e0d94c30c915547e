import type { Segment } from '@holdfast/server/wire'
import type { WallFrame } from '../live/wall-history.ts'
import { countText, lastedText, ratioText } from '../words/figure-text.ts'
import { stateWords, type ShownState } from '../words/state-words.ts'

export interface RowSummary {
  readonly sent: number
  readonly failed: number
  /** How long it was in each state that it was in, in ms. */
  readonly durations: ReadonlyMap<ShownState, number>
  /** Segments after the first. */
  readonly changes: number
}

/** What a row's picture shows, added up. */
export function summaryOf(frame: WallFrame, name: string): RowSummary {
  const { from, stepMs, buckets } = frame
  const row = frame.rows.get(name)
  const until = from + stepMs * buckets
  const durations = new Map<ShownState, number>()
  for (const { state, from: start, to } of row?.segments ?? []) {
    const ms = Math.min(to ?? until, until) - Math.max(start, from)
    if (ms > 0) durations.set(state, (durations.get(state) ?? 0) + ms)
  }
  return { sent: sum(row?.attempts), failed: sum(row?.failures), durations, changes: changesOf(row?.segments ?? [], from) }
}

function changesOf(segments: readonly Segment[], from: number): number {
  return segments.filter((segment, index) => index > 0 && segment.from >= from).length
}

function sum(column: readonly (number | null)[] = []): number {
  return column.reduce<number>((total, value) => total + (value ?? 0), 0)
}

/** The picture of a row for those who cannot see it: `open 3 min, closed 12 min; 1,204 sent, 4.1 % failed`. */
export function rowWords(frame: WallFrame | null, name: string): string {
  if (frame === null) return 'not read yet'
  const { sent, failed, durations } = summaryOf(frame, name)
  const states = [...durations].map(([state, ms]) => `${stateWords[state].name} ${lastedText(ms)}`).join(', ')
  return `${states === '' ? 'nothing recorded' : states}; ${countText(sent)} sent${sent === 0 ? '' : `, ${ratioText(failed / sent)} failed`}`
}
