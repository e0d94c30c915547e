import { useEffect, useState } from 'preact/hooks'
import { getJson } from '../api/client.ts'
import { SettingsTable, type ListedSetting } from '../configuration/settings-table.tsx'

/** The settings of an upstream, with where each comes from; those of its policies are on their pages. */
export function DependencySettings({ name, generation }: { readonly name: string; readonly generation: number }) {
  const [settings, setSettings] = useState<readonly ListedSetting[]>([])
  const [failure, setFailure] = useState<string | null>(null)
  useEffect(() => {
    const end = new AbortController()
    getJson<{ readonly settings: readonly ListedSetting[] }>('/api/v1/config/settings', end.signal).then(
      (answer) => {
        setSettings(settingsBelow(`upstreams.${name}.`, answer.settings))
        setFailure(null)
      },
      (error: unknown) => {
        if (!end.signal.aborted) setFailure(error instanceof Error ? error.message : 'The server cannot be reached.')
      },
    )
    return () => end.abort()
  }, [name, generation])
  return (
    <section aria-labelledby="settings-title">
      <h2 id="settings-title">Settings in force</h2>
      {failure !== null && <p class="failed">The settings could not be read: {failure}</p>}
      {settings.length > 0 && <SettingsTable settings={settings} caption={`Settings of ${name}`} />}
    </section>
  )
}

/** Those whose path begins so, named by the rest of it. */
function settingsBelow(prefix: string, settings: readonly ListedSetting[]): readonly ListedSetting[] {
  return settings.flatMap(({ path, ...setting }) =>
    path?.startsWith(prefix) === true ? [{ ...setting, name: path.slice(prefix.length) }] : [],
  )
}
