/** What nobody knows. */
export const unknownText = '–'

const wholeNumber = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

/** 1234 → `1,234` */
export function countText(value: number | null): string {
  return value === null ? unknownText : wholeNumber.format(value)
}

/** 0.975 → `97.5 %`. Never rounds up to 100 % or down to 0 %. */
export function ratioText(value: number | null): string {
  if (value === null) return unknownText
  const percent = value * 100
  if (percent > 99.9 && percent < 100) return '99.9 %'
  if (percent > 0 && percent < 0.1) return '0.1 %'
  return `${percent === 0 || percent === 100 ? percent : percent.toFixed(1)} %`
}

/** A measured time: 850.4 → `850 ms`, 14900 → `14.9 s`, 0.4 → `0.4 ms`. */
export function latencyText(ms: number | null): string {
  if (ms === null) return unknownText
  if (ms < 10) return `${Number(ms.toFixed(1))} ms`
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(ms < 100_000 ? 1 : 0)} s`
}

/** How long something takes or lasts, exact enough to read: 250 → `250 ms`, 1500 → `1.5 s`, 65000 → `1 min 5 s`, 2 d. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`
  if (ms < 10_000) return `${Number((ms / 1_000).toFixed(1))} s`
  return lastedText(ms)
}

/** How long something has lasted, without fractions that would jitter: `8 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function lastedText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000))
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return pair(minutes, 'min', minutes < 10 ? seconds % 60 : 0, 's')
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return pair(hours, 'h', minutes % 60, 'min')
  return pair(Math.floor(hours / 24), 'd', hours % 24, 'h')
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`
}

/** A place in a run: 65000 → `1:05`. */
export function clockText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000))
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

/** A rate, without its unit: 12.34 → `12.3`, 0.04 → `0.04`, 1234.5 → `1,235`. */
export function rateText(perSecond: number | null): string {
  if (perSecond === null) return unknownText
  if (perSecond >= 100 || perSecond === 0) return countText(perSecond)
  return String(Number(perSecond.toFixed(perSecond < 1 ? 2 : 1)))
}
