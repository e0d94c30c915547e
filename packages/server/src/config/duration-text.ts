const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Longer durations are surely a mistake, and timers could not keep them. */
export const longestDurationMs: number = 365 * 86_400_000

/** The shortest exact way to write a number of milliseconds. */
export function formatDuration(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const size = ms / (unitMs[unit] ?? 1)
    if (size >= 1 && Number.isInteger(size)) return `${size}${unit}`
  }
  return `${ms}ms`
}

const otherSpellings: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ms: 'ms msec msecs milli millis millisecond milliseconds',
    s: 's sec secs second seconds',
    m: 'm min mins minute minutes',
    h: 'h hr hrs hour hours',
    d: 'd day days',
  }).flatMap(([unit, words]) => words.split(' ').map((word) => [word, unit] as const)),
)

/** A duration that was probably meant by something that is none: `'10sec'`, `'1m30s'`, `'PT5S'`; a bare number gets its likelier unit. */
export function suggestDuration(value: unknown): string | undefined {
  if (typeof value === 'number') return value >= 0 && Number.isFinite(value) ? `${value}${value >= 1_000 ? 'ms' : 's'}` : undefined
  if (typeof value !== 'string' || value.length > 40) return undefined
  const text = value
    .trim()
    .toLowerCase()
    .replace(/^pt?(?=\d)/, '')
  if (/^\d+(\.\d+)?$/.test(text)) return suggestDuration(Number(text))
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)\s*/g)]
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) return undefined
  let ms = 0
  for (const [, size, word] of parts) {
    const unit = otherSpellings.get(word ?? '')
    if (unit === undefined) return undefined
    ms += Number(size) * (unitMs[unit] ?? 0)
  }
  return formatDuration(ms)
}
