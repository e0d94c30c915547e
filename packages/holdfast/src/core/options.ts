import { HoldfastError } from './errors.ts'
import { suggest } from './suggest.ts'

/** The error for an option's bad value: names the option, the value received and what is allowed. */
export function invalidOption(owner: string, option: string, value: unknown, expected: string): HoldfastError {
  return new HoldfastError({
    code: 'ERR_INVALID_OPTION',
    policy: owner,
    message: `${owner}: option '${option}' must be ${expected}, got ${show(value)}`,
  })
}

/** A value as it may stand in an error message: short, on one line. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value)
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value !== 'object' || value === null) return String(value)
  return Array.isArray(value) ? `an array of ${value.length}` : 'an object'
}

/** Refuses a value that is no options object, and names that are no option (with the nearest one that is). */
export function checkOptionNames(owner: string, options: unknown, allowed: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new HoldfastError({
      code: 'ERR_INVALID_OPTION',
      policy: owner,
      message: `${owner}: options must be an object, got ${show(options)}`,
    })
  }
  for (const name of Object.keys(options)) {
    if (allowed.includes(name)) continue
    const near = suggest(name, allowed)
    throw new HoldfastError({
      code: 'ERR_INVALID_OPTION',
      policy: owner,
      message: `${owner}: there is no option '${name}'${near === undefined ? '' : ` (did you mean '${near}'?)`}; allowed: ${allowed.join(', ')}`,
    })
  }
}

export interface NumberRange {
  /** @defaultValue 0 */
  readonly min?: number
  /** @defaultValue no limit */
  readonly max?: number
}

export interface IntegerRange extends NumberRange {
  readonly allowInfinity?: boolean
}

export function integerOption(owner: string, option: string, value: unknown, range: IntegerRange = {}): number {
  const { min = 0, max = Number.MAX_SAFE_INTEGER, allowInfinity = false } = range
  if (value === Infinity && allowInfinity) return Infinity
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
  const top = max === Number.MAX_SAFE_INTEGER ? ' up' : ` to ${max}`
  throw invalidOption(owner, option, value, `a whole number from ${min}${top}${allowInfinity ? ', or Infinity' : ''}`)
}

export function numberOption(owner: string, option: string, value: unknown, range: NumberRange = {}): number {
  const { min = 0, max = Number.MAX_VALUE } = range
  if (typeof value === 'number' && value >= min && value <= max) return value
  throw invalidOption(owner, option, value, `a number from ${min}${max === Number.MAX_VALUE ? ' up' : ` to ${max}`}`)
}

/** A share in 0..1; `aboveZero` refuses 0. */
export function ratioOption(owner: string, option: string, value: unknown, aboveZero = false): number {
  if (typeof value === 'number' && value >= 0 && value <= 1 && !(aboveZero && value === 0)) return value
  throw invalidOption(owner, option, value, `a share ${aboveZero ? 'above 0, at most 1' : 'from 0 to 1'} (0.5 is 50 %)`)
}

export function choiceOption<T extends string>(owner: string, option: string, value: unknown, choices: readonly T[]): T {
  if (choices.includes(value as T)) return value as T
  const near = typeof value === 'string' ? suggest(value, choices) : undefined
  const hint = near === undefined ? '' : ` (did you mean '${near}'?)`
  throw invalidOption(owner, option, value, `one of ${choices.map((choice) => `'${choice}'`).join(', ')}${hint}`)
}

export function functionOption<F>(owner: string, option: string, value: F | undefined): F | undefined {
  if (value === undefined || typeof value === 'function') return value
  throw invalidOption(owner, option, value, 'a function')
}

export function booleanOption(owner: string, option: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw invalidOption(owner, option, value, 'true or false')
}

/** A policy's name: any text from 1 to 200 characters. */
export function nameOption(kind: string, value: unknown): string {
  if (value === undefined) return kind
  if (typeof value === 'string' && value.length > 0 && value.length <= 200) return value
  throw invalidOption(kind, 'name', value, 'a text of 1 to 200 characters')
}
