import { parseDuration } from 'holdfast'
import * as z from 'zod'
import { formatByteSize, parseByteSize, suggestByteSize } from './byte-size.ts'
import { formatDuration, longestDurationMs, suggestDuration } from './duration-text.ts'

/** What a number of the configuration counts, where people write it with a unit. */
export type SettingUnit = 'duration' | 'share' | 'bytes'

/** Kept beside the schemas; what is derived from a schema inherits its unit. */
export const unitOf: z.core.$ZodRegistry<{ readonly unit: SettingUnit }> = z.registry<{ readonly unit: SettingUnit }>()

// Each of these says what it expects as "must be …": the reader of a problem sees that sentence and the value received.

export interface NumberLimits {
  readonly min?: number
  readonly max?: number
}

export function integer({ min = 0, max = Number.MAX_SAFE_INTEGER }: NumberLimits = {}): z.ZodInt {
  const error = `must be a whole number${max === Number.MAX_SAFE_INTEGER ? `, ${min} or more` : ` from ${min} to ${max}`}`
  return z.int({ error }).min(min, { error }).max(max, { error })
}

export function number({ min = 0, max = Number.MAX_VALUE }: NumberLimits = {}): z.ZodNumber {
  const error = `must be a number${max === Number.MAX_VALUE ? `, ${min} or more` : ` from ${min} to ${max}`}`
  return z.number({ error }).min(min, { error }).max(max, { error })
}

export function boolean(): z.ZodBoolean {
  return z.boolean({ error: 'must be true or false' })
}

export function choice<const T extends readonly string[]>(values: T): z.ZodEnum<{ [Value in T[number]]: Value }> {
  return z.enum(values, { error: `must be one of ${values.join(', ')}` })
}

/** A text that matches `pattern`; `expected` continues "must be". */
export function text(expected: string, pattern: RegExp): z.ZodString {
  const error = `must be ${expected}`
  return z.string({ error }).regex(pattern, { error })
}

export interface DurationLimits {
  /** @defaultValue '0ms' */
  readonly min?: string
  /** @defaultValue '365d' */
  readonly max?: string
}

const durationPattern = String.raw`^\d+(\.\d+)?(ms|s|m|h|d)$`

/** A duration with its unit; becomes milliseconds. */
export function duration({ min = '0ms', max }: DurationLimits = {}): z.ZodType<number> {
  const minMs = parseDuration(min) ?? 0
  const maxMs = max === undefined ? longestDurationMs : (parseDuration(max) ?? longestDurationMs)
  const range = `${minMs > 0 ? `, at least ${formatDuration(minMs)}` : ''}${max === undefined ? '' : `, at most ${max}`}`
  return parsedScalar({
    expected: `a duration with its unit, such as 250ms, 30s, 5m, 2h or 7d${range}`,
    parse: (value) => {
      const ms = typeof value === 'string' ? parseDuration(value) : undefined
      return ms !== undefined && ms >= minMs && ms <= maxMs ? ms : undefined
    },
    suggest: (value) => (typeof value === 'string' && parseDuration(value) !== undefined ? undefined : suggestDuration(value)),
    json: { type: 'string', pattern: durationPattern },
  }).register(unitOf, { unit: 'duration' })
}

/** A share: 0..1, or a percentage as text; becomes a number in 0..1. `aboveZero` refuses 0. */
export function ratio({ aboveZero = false }: { readonly aboveZero?: boolean } = {}): z.ZodType<number> {
  return parsedScalar({
    expected: `a share ${aboveZero ? 'above 0, at most 1' : 'from 0 to 1'}, such as 0.85 or '85%'`,
    parse: (value) => {
      const share = typeof value === 'number' ? value : percentage(value)
      return share !== undefined && share >= 0 && share <= 1 && !(aboveZero && share === 0) ? share : undefined
    },
    suggest: (value) => {
      const percents = typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value
      return typeof percents === 'number' && percents > 1 && percents <= 100 ? `${percents}%` : undefined
    },
    json: {
      anyOf: [
        { type: 'number', minimum: 0, maximum: 1 },
        { type: 'string', pattern: String.raw`^\d+(\.\d+)?%$` },
      ],
    },
  }).register(unitOf, { unit: 'share' })
}

function percentage(value: unknown): number | undefined {
  const match = typeof value === 'string' ? /^(\d+(?:\.\d+)?) ?%$/.exec(value) : null
  return match === null ? undefined : Number(match[1]) / 100
}

/** A size in bytes, with or without unit; becomes a number of bytes. */
export function byteSize({ min = 0, max = Number.MAX_SAFE_INTEGER }: NumberLimits = {}): z.ZodType<number> {
  const range = `${min > 0 ? `, at least ${formatByteSize(min)}` : ''}${max === Number.MAX_SAFE_INTEGER ? '' : `, at most ${formatByteSize(max)}`}`
  return parsedScalar({
    expected: `a size such as 512KiB, 1MiB or 10MB${range}`,
    parse: (value) => {
      const bytes = typeof value === 'string' ? parseByteSize(value) : value
      return typeof bytes === 'number' && Number.isSafeInteger(bytes) && bytes >= min && bytes <= max ? bytes : undefined
    },
    suggest: (value) => (typeof value === 'string' ? suggestByteSize(value) : undefined),
    json: {
      anyOf: [
        { type: 'integer', minimum: min },
        { type: 'string', pattern: String.raw`^\d+(\.\d+)?([kKMG]i?B|B)$` },
      ],
    },
  }).register(unitOf, { unit: 'bytes' })
}

export interface ScalarRules<T> {
  /** Continues "must be". */
  readonly expected: string
  readonly parse: (value: unknown) => T | undefined
  readonly suggest?: (value: unknown) => string | undefined
  /** What the JSON Schema says about it. */
  readonly json: Readonly<Record<string, unknown>>
}

/** A scalar with a form of its own; {@link SuggestionParams} carries what was probably meant. */
export function parsedScalar<T>({ expected, parse, suggest, json }: ScalarRules<T>): z.ZodType<T> {
  const schema = z.unknown().transform((value, context): T => {
    const parsed = parse(value)
    if (parsed !== undefined) return parsed
    const suggestion = suggest?.(value)
    const params: SuggestionParams = suggestion === undefined ? {} : { suggestion }
    context.issues.push({ code: 'custom', message: `must be ${expected}`, input: value, params: { ...params } })
    return z.NEVER
  })
  return schema.meta(json)
}

export interface SuggestionParams {
  readonly suggestion?: string
}
