import type { HistoryRange } from '@holdfast/server/wire'
import { computed, signal } from '@preact/signals'
import { now } from './live/store.ts'
import { kept } from './preferences.ts'

export const ranges: readonly [HistoryRange, ...HistoryRange[]] = ['15m', '1h', '6h', '24h']

const lengths: Readonly<Record<HistoryRange, number>> = { '15m': 900_000, '1h': 3_600_000, '6h': 21_600_000, '24h': 86_400_000 }

/** Words for a range: `15 min`, `1 h`. */
export const rangeTexts: Readonly<Record<HistoryRange, string>> = { '15m': '15 min', '1h': '1 h', '6h': '6 h', '24h': '24 h' }

/** How far back every ribbon and chart looks. */
export const range = kept<HistoryRange>('range', ranges)

/** The instant that every row and chart points at, epoch ms; null: none. */
export const crosshair = signal<number | null>(null)

/** What is on the axis, epoch ms. */
export interface TimeSpan {
  readonly from: number
  readonly until: number
}

/** The shown stretch of time. Its end moves on in steps of about a pixel, so that pictures are not drawn anew for nothing. */
export const axis = computed<TimeSpan>(
  () => {
    const length = lengths[range.value]
    const step = length / 900
    const until = Math.ceil(now.value / step) * step
    return { from: until - length, until }
  },
  { name: 'axis' },
)

const tickSteps: Readonly<Record<HistoryRange, number>> = { '15m': 180_000, '1h': 600_000, '6h': 3_600_000, '24h': 14_400_000 }

/** Round times of the viewer's clock within a stretch. */
export function axisTicks({ from, until }: TimeSpan, of: HistoryRange): readonly number[] {
  const step = tickSteps[of]
  const offset = new Date(until).getTimezoneOffset() * 60_000
  const ticks: number[] = []
  for (let at = Math.ceil((from - offset) / step) * step + offset; at <= until; at += step) ticks.push(at)
  return ticks
}
