import { HoldfastError } from '../../core/errors.ts'
import { show } from '../../core/options.ts'
import type { Blueprint, Edge, State } from './compile.ts'
import type { HistoryEntry } from './history.ts'

/** A machine as plain data, fit for JSON. */
export interface MachineSnapshot<S extends string = string, E extends string = string, C = unknown> {
  readonly machine: string
  readonly version: number
  readonly state: S
  /** Epoch ms at which the state was entered; null before the first transition. */
  readonly enteredAt: number | null
  /** Epoch ms at which the state's time is over; null when it has no limit. */
  readonly timeoutAt: number | null
  /** The event whose hooks had not ended when this was made: their effects may have happened in part. */
  readonly unfinished: E | null
  readonly history: readonly HistoryEntry<S, E>[]
  readonly context?: C
}

/** What a snapshot says, checked against a definition. */
export interface RestoredState {
  readonly state: State
  readonly enteredAt: number | undefined
  readonly timeoutAt: number | undefined
  readonly unfinished: string | undefined
  readonly history: readonly (Pick<Edge, 'from' | 'to' | 'event'> & { readonly at: number })[]
  readonly context: unknown
}

/** @throws HoldfastError `ERR_STATE_VERSION` for what is no snapshot of this machine in this version. */
export function readSnapshot(blueprint: Blueprint, data: unknown): RestoredState {
  const { name, version, migrate, states } = blueprint
  const refuse = (what: string): HoldfastError =>
    new HoldfastError({ code: 'ERR_STATE_VERSION', policy: name, message: `${name}: the snapshot cannot be restored: ${what}` })
  const first = record(typeof data === 'string' ? parse(data) : data)
  if (first === undefined) throw refuse(`it must be an object, or its JSON text, got ${show(data)}`)
  const given = first['version'] === version ? first : migrated(first)
  if (given['machine'] !== name) throw refuse(`it is of the machine ${show(given['machine'])}`)
  function migrated(old: Record<string, unknown>): Record<string, unknown> {
    if (migrate === undefined)
      throw refuse(`it has version ${show(old['version'])}, this machine has ${version}, and there is no 'migrate'`)
    const made = record(migrate(old))
    if (made?.['version'] !== version) throw refuse(`'migrate' answered with no snapshot of version ${version}`)
    return made
  }
  const find = (state: unknown, where: string): State => {
    const found = typeof state === 'string' ? states.get(state) : undefined
    if (found === undefined) throw refuse(`${where} is ${show(state)}, which is no state of this machine`)
    return found
  }
  const instant = (field: string): number | undefined => {
    const value = given[field]
    if (value === null || value === undefined) return undefined
    if (typeof value === 'number' && Number.isFinite(value)) return value
    throw refuse(`'${field}' must be epoch ms or null, got ${show(value)}`)
  }
  const { history, unfinished, context } = given
  if (!Array.isArray(history)) throw refuse(`'history' must be a list, got ${show(history)}`)
  if (unfinished !== null && unfinished !== undefined && typeof unfinished !== 'string')
    throw refuse(`'unfinished' must be an event or null, got ${show(unfinished)}`)
  return {
    state: find(given['state'], "'state'"),
    enteredAt: instant('enteredAt'),
    timeoutAt: instant('timeoutAt'),
    unfinished: unfinished ?? undefined,
    context,
    history: history.slice(-blueprint.maxHistory || history.length).map((entry: unknown, index) => {
      const { from, to, event, at } = record(entry) ?? {}
      if (typeof event !== 'string' || typeof at !== 'number') throw refuse(`'history[${index}]' must have an event and its time`)
      return { from: find(from, `'history[${index}].from'`), to: find(to, `'history[${index}].to'`), event, at }
    }),
  }
}

function record(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
