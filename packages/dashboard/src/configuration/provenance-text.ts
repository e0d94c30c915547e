import type { SettingView } from '@holdfast/server/wire'

/** Where a setting comes from, in words: `default`, `config/reliability.yml:12:5`, `HOLDFAST_PORT`, `set by anna`. */
export function provenanceText({ source, where }: Pick<SettingView, 'source' | 'where'>): string {
  switch (source) {
    case 'default':
      return 'default'
    case 'file':
      return where ?? 'file'
    case 'environment':
      return where === null ? 'environment' : `environment ${where}`
    case 'runtime':
      return where === null ? 'set at run time' : `set at run time by ${where}`
  }
}

/** The settings whose name, value or origin has all the words of a search. */
export function matchingSettings<S extends SettingView & { readonly path?: string }>(settings: readonly S[], search: string): readonly S[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return settings
  return settings.filter((setting) => {
    const text = `${setting.path ?? ''} ${setting.name} ${setting.value} ${provenanceText(setting)}`.toLowerCase()
    return words.every((word) => text.includes(word))
  })
}
