import type { LiveState } from '../wire.ts'
import { isSameView } from './views/same-view.ts'

interface Known {
  readonly value: unknown
  readonly json: string
}

const keyedSections = ['dependencies', 'policies'] as const
const wholeSections = ['server', 'config', 'demo'] as const

/**
 * Turns one state after another into JSON of what has changed. Each entry is compared as it is and made text only when it differs, so
 * that a thousand policies of which few change cost little.
 */
export class LiveEncoder {
  private readonly whole = new Map<string, Known>()
  private readonly keyed = { dependencies: new Map<string, Known>(), policies: new Map<string, Known>() }
  private snapshot: string | undefined = undefined

  /** Takes the next state in. Answers the members of a delta's JSON object, without braces; empty when nothing has changed. */
  advance(state: LiveState): string {
    const members: string[] = []
    for (const section of wholeSections) {
      const json = this.update(this.whole, section, state[section])
      if (json !== undefined) members.push(`"${section}":${json}`)
    }
    const gone: string[] = []
    for (const section of keyedSections) {
      const known = this.keyed[section]
      const changed: string[] = []
      for (const [key, value] of Object.entries(state[section])) {
        const json = this.update(known, key, value)
        if (json !== undefined) changed.push(`${JSON.stringify(key)}:${json}`)
      }
      if (changed.length > 0) members.push(`"${section}":{${changed.join()}}`)
      const left = [...known.keys()].filter((key) => !Object.hasOwn(state[section], key))
      for (const key of left) known.delete(key)
      if (left.length > 0) gone.push(`"${section}":${JSON.stringify(left)}`)
    }
    if (gone.length > 0) members.push(`"gone":{${gone.join()}}`)
    if (members.length > 0) this.snapshot = undefined
    return members.join()
  }

  /** The last state, whole. Made once for all who ask before it changes. */
  get stateJson(): string {
    this.snapshot ??= `{${[
      ...[...this.whole].map(([section, { json }]) => `"${section}":${json}`),
      ...keyedSections.map((section) => {
        const entries = [...this.keyed[section]].map(([key, { json }]) => `${JSON.stringify(key)}:${json}`)
        return `"${section}":{${entries.join()}}`
      }),
    ].join()}}`
    return this.snapshot
  }

  private update(known: Map<string, Known>, key: string, value: unknown): string | undefined {
    const before = known.get(key)
    if (value === undefined) {
      known.delete(key)
      return before === undefined ? undefined : 'null'
    }
    if (before !== undefined && isSameView(before.value, value)) return undefined
    const json = JSON.stringify(value)
    known.set(key, { value, json })
    return json
  }
}
