import { invalidOption } from './options.ts'

/** Milliseconds as a number, or a number with its unit: `'250ms'`, `'30s'`, `'5m'`, `'2h'`, `'7d'`. */
export type Duration = number | `${number}ms` | `${number}s` | `${number}m` | `${number}h` | `${number}d`

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const durationText = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/

/** Milliseconds of a duration text, or `undefined` when it is none. */
export function parseDuration(text: string): number | undefined {
  const match = durationText.exec(text)
  if (match === null) return undefined
  return Number(match[1]) * (unitMs[match[2] as string] as number)
}

export interface DurationRange {
  /** Smallest allowed value in ms. @defaultValue 0 */
  readonly min?: number
  /** Largest allowed value in ms. @defaultValue Number.MAX_SAFE_INTEGER */
  readonly max?: number
  readonly allowInfinity?: boolean
}

/**
 * Milliseconds of a duration option.
 * @throws HoldfastError `ERR_INVALID_OPTION` naming the option, the value and what is allowed.
 */
export function durationMs(owner: string, option: string, value: unknown, range: DurationRange = {}): number {
  const { min = 0, max = Number.MAX_SAFE_INTEGER, allowInfinity = false } = range
  const ms = typeof value === 'number' ? value : typeof value === 'string' ? parseDuration(value) : undefined
  if (ms === Infinity && allowInfinity) return ms
  if (ms === undefined || !(ms >= min && ms <= max)) {
    const from = min > 0 ? ` of at least ${min} ms` : ', 0 or more'
    const to = max < Number.MAX_SAFE_INTEGER ? `, at most ${max} ms` : ''
    const never = allowInfinity ? ', or Infinity' : ''
    throw invalidOption(owner, option, value, `a duration such as 250 (ms), '250ms', '30s', '5m', '2h' or '7d'${from}${to}${never}`)
  }
  return ms
}
