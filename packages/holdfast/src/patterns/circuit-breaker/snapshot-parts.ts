import { HoldfastError } from '../../core/errors.ts'
import { show } from '../../core/options.ts'

export const snapshotVersion = 1

interface SnapshotRange {
  readonly min: number
  readonly max: number
  readonly whole?: boolean
}

/** The fields of what claims to be a snapshot; each is checked when it is asked for. */
export interface SnapshotParts {
  equal<T extends string | number>(field: string, wanted: T, named: string): T
  number(field: string, range: SnapshotRange): number
  numberOrNull(field: string, range: SnapshotRange): number | null
  choice<T extends string>(field: string, choices: readonly T[]): T
  value(field: string): unknown
  wrong(field: string, expected: string): HoldfastError
}

/** Reads the fields of what claims to be a snapshot. @throws HoldfastError `ERR_INVALID_ARGUMENT` that names the field */
export function snapshotParts(owner: string, kind: string, given: unknown): SnapshotParts {
  const fail = (message: string): HoldfastError =>
    new HoldfastError({ code: 'ERR_INVALID_ARGUMENT', policy: owner, message: `${owner}: ${message}` })
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw fail(`a snapshot must be an object as snapshot() answers it, got ${show(given)}`)
  const value = (field: string): unknown => (Object.hasOwn(given, field) ? (given as Record<string, unknown>)[field] : undefined)
  const wrong = (field: string, expected: string): HoldfastError =>
    fail(`the snapshot's '${field}' must be ${expected}, got ${show(value(field))}`)
  const number = (field: string, { min, max, whole = false }: SnapshotRange): number => {
    const found = value(field)
    if (typeof found === 'number' && found >= min && found <= max && (!whole || Number.isInteger(found))) return found
    throw wrong(field, `a ${whole ? 'whole ' : ''}number from ${min} ${max === Number.MAX_VALUE ? 'up' : `to ${max}`}`)
  }
  const parts: SnapshotParts = {
    value,
    wrong,
    number,
    numberOrNull: (field, range) => (value(field) === null ? null : number(field, range)),
    choice: (field, choices) => {
      const found = choices.find((choice) => choice === value(field))
      if (found === undefined) throw wrong(field, `one of ${choices.map((choice) => `'${choice}'`).join(', ')}`)
      return found
    },
    equal: (field, wanted, named) => {
      if (value(field) !== wanted) throw wrong(field, named)
      return wanted
    },
  }
  parts.equal('kind', kind, `'${kind}'`)
  parts.equal('version', snapshotVersion, `${snapshotVersion}, the version this release reads`)
  return parts
}
