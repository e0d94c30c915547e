import { isDeepStrictEqual } from 'node:util'
import type { ReliabilityConfig } from './config.ts'
import { pathText } from './path-text.ts'
import { shownSetting } from './setting-text.ts'
import { writtenSettings, type WrittenSetting } from './written-config.ts'

/** A setting that differs between two configurations. */
export interface ConfigChange {
  readonly path: string
  /** As people write it; secrets appear as `***`. Null: it was not there. */
  readonly before: string | null
  /** Null: it is no more. */
  readonly after: string | null
}

/** The settings in force that differ, by path: those that are gone, then those that are other or new in the order of the later one. */
export function configChanges(before: ReliabilityConfig, after: ReliabilityConfig): readonly ConfigChange[] {
  const earlier = byPath(before)
  const later = byPath(after)
  const gone = [...earlier].filter(([path]) => !later.has(path)).map(([path, setting]) => change(path, setting, undefined))
  const changed = [...later].flatMap(([path, setting]) => {
    const known = earlier.get(path)
    return known !== undefined && isDeepStrictEqual(known.actual, setting.actual) ? [] : [change(path, known, setting)]
  })
  return [...gone, ...changed]
}

function byPath(config: ReliabilityConfig): ReadonlyMap<string, WrittenSetting> {
  return new Map(writtenSettings(config).map((setting) => [pathText(setting.path), setting]))
}

function change(path: string, before: WrittenSetting | undefined, after: WrittenSetting | undefined): ConfigChange {
  return {
    path,
    before: before === undefined ? null : shownSetting(before),
    after: after === undefined ? null : shownSetting(after),
  }
}
