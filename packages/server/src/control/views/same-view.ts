/** Instants told out of a monotonic clock differ by a little from one reading to the next. */
const instantToleranceMs = 5
const isInstant = /(?:At|Until|since)$/

/** Whether two views would tell a reader the same. Cheaper than comparing their texts. */
export function isSameView(a: unknown, b: unknown, key = ''): boolean {
  if (a === b) return true
  if (typeof a === 'number' && typeof b === 'number') return isInstant.test(key) && Math.abs(a - b) <= instantToleranceMs
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  for (const each of keys) {
    if (!isSameView((a as Record<string, unknown>)[each], (b as Record<string, unknown>)[each], each)) return false
  }
  return true
}
