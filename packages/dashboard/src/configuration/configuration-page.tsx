import type { ConfigView, ProblemView } from '@holdfast/server/wire'
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { ApiError, getJson, postJson } from '../api/client.ts'
import { config as liveConfig } from '../live/store.ts'
import { offerLogInAfter, openLogIn } from '../session/log-in.ts'
import { OperateGate } from '../session/operate-gate.tsx'
import { fieldText } from '../ui/field-text.ts'
import { TimeText } from '../ui/time-text.tsx'
import { countText } from '../words/figure-text.ts'
import { matchingSettings } from './provenance-text.ts'
import { SettingsTable, type ListedSetting } from './settings-table.tsx'

const triggerTexts: Readonly<Record<ConfigView['lastReload']['trigger'], string>> = {
  start: 'at the start',
  watch: 'because a file changed',
  signal: 'on a signal (SIGHUP)',
  api: 'because somebody asked for it here or over the API',
}

/** What the server runs with: files, the last reload and what came of it, and every setting in force with where it comes from. */
export function ConfigurationPage() {
  const config = liveConfig.value
  return (
    <div class="configuration-page">
      <h1>Configuration</h1>
      {config === null ? <p class="quiet">Waiting for the server.</p> : <Loaded config={config} />}
      <Settings generation={config?.generation ?? 0} />
    </div>
  )
}

function Loaded({ config }: { readonly config: ConfigView }) {
  const { generation, loadedAt, files, lastReload } = config
  return (
    <>
      <dl class="facts">
        <dt>In force</dt>
        <dd>
          generation {countText(generation)}, loaded <TimeText at={loadedAt} />
        </dd>
        <dt>Files</dt>
        <dd>
          <ul class="files">
            {files.map((file) => (
              <li key={file}>
                <code>{file}</code>
              </li>
            ))}
          </ul>
        </dd>
        <dt>Last reload</dt>
        <dd>
          <TimeText at={lastReload.at} />, {triggerTexts[lastReload.trigger]}:{' '}
          {lastReload.ok ? (
            <b class="good">
              <span aria-hidden="true">✓ </span>taken
            </b>
          ) : (
            <b class="failed">
              <span aria-hidden="true">▲ </span>refused, the earlier configuration goes on
            </b>
          )}
        </dd>
      </dl>
      <Problems problems={lastReload.problems} />
      <NeedsRestart paths={lastReload.needsRestart} />
      <Changes changes={lastReload.changes} />
      <Reload />
    </>
  )
}

function Problems({ problems }: { readonly problems: readonly ProblemView[] }) {
  if (problems.length === 0) return null
  return (
    <section class="problems" aria-label="Problems of the refused configuration">
      <h2>What the files hold that cannot be taken</h2>
      <ul>
        {problems.map(({ file, line, column, path, message }) => (
          <li key={`${file}:${line}:${column} ${path} ${message}`}>
            <code>
              {file}:{line}:{column}
            </code>{' '}
            {path !== '' && <b>{path}</b>} {message}
          </li>
        ))}
      </ul>
    </section>
  )
}

function NeedsRestart({ paths }: { readonly paths: readonly string[] }) {
  if (paths.length === 0) return null
  return (
    <section class="needs-restart" aria-label="Settings that need a restart">
      <h2>Changed in the files, in force only after a restart</h2>
      <ul>
        {paths.map((path) => (
          <li key={path}>
            <code>{path}</code>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Changes({ changes }: { readonly changes: ConfigView['lastReload']['changes'] }) {
  if (changes.length === 0) return null
  return (
    <section>
      <h2>What the last reload changed</h2>
      <div class="wide">
        <table class="config-changes">
          <thead>
            <tr>
              <th scope="col">Setting</th>
              <th scope="col">Before</th>
              <th scope="col">After</th>
            </tr>
          </thead>
          <tbody>
            {changes.map(({ path, before, after }) => (
              <tr key={path}>
                <th scope="row">{path}</th>
                <td>{before ?? 'not set'}</td>
                <td>{after ?? 'not set'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

function Reload() {
  const said = useSignal<{ readonly text: string; readonly isBad: boolean } | null>(null)
  const isSending = useSignal(false)

  const reload = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    if (isSending.value) return
    const form = event.currentTarget as HTMLFormElement
    isSending.value = true
    said.value = null
    try {
      const { lastReload, generation } = await postJson<ConfigView>('/api/v1/config/reload', { reason: fieldText(form, 'reason') })
      said.value = lastReload.ok
        ? {
            text: `Read again: generation ${countText(generation)} is in force, ${countText(lastReload.changes.length)} settings changed.`,
            isBad: false,
          }
        : { text: 'The files were read and refused; the earlier configuration goes on.', isBad: true }
      if (lastReload.ok) form.reset()
    } catch (error) {
      said.value = { text: `Not reloaded: ${error instanceof Error ? error.message : 'the server cannot be reached'}`, isBad: true }
      await offerLogInAfter(error)
    } finally {
      isSending.value = false
    }
  }
  return (
    <section class="reload" aria-label="Reload">
      <OperateGate>
        <form onSubmit={(event) => void reload(event)}>
          <label>
            Reason <input name="reason" required maxLength={500} autocomplete="off" />
          </label>{' '}
          <button type="submit" disabled={isSending.value}>
            {isSending.value ? 'Reading the files …' : 'Reload'}
          </button>
        </form>
      </OperateGate>
      <p role="status" class={said.value?.isBad === true ? 'failed' : ''}>
        {said.value?.text}
      </p>
    </section>
  )
}

function Settings({ generation }: { readonly generation: number }) {
  const settings = useSignal<readonly ListedSetting[] | null>(null)
  const failure = useSignal<{ readonly text: string; readonly needsLogIn: boolean } | null>(null)
  const search = useSignal('')
  const isDecidedOnly = useSignal(false)

  useEffect(() => {
    const end = new AbortController()
    getJson<{ readonly settings: readonly ListedSetting[] }>('/api/v1/config/settings', end.signal).then(
      (answer) => {
        settings.value = answer.settings
        failure.value = null
      },
      (error: unknown) => {
        if (end.signal.aborted) return
        const needsLogIn = error instanceof ApiError && (error.status === 401 || error.status === 403)
        failure.value = { text: error instanceof Error ? error.message : 'The server cannot be reached.', needsLogIn }
      },
    )
    return () => end.abort()
  }, [generation])

  const all = settings.value ?? []
  const decided = isDecidedOnly.value ? all.filter(({ source }) => source !== 'default') : all
  const shown = matchingSettings(decided, search.value)
  return (
    <section class="all-settings">
      <h2>Settings in force</h2>
      <div class="toolbar" role="search">
        <input
          type="search"
          data-search
          aria-label="Search settings"
          placeholder="Search path, value, origin"
          value={search.value}
          onInput={(event) => (search.value = event.currentTarget.value)}
        />
        <label>
          <input type="checkbox" checked={isDecidedOnly.value} onChange={(event) => (isDecidedOnly.value = event.currentTarget.checked)} />{' '}
          without defaults
        </label>
        <span class="quiet" role="status">
          {countText(shown.length)} of {countText(all.length)}
        </span>
      </div>
      {failure.value !== null && (
        <p class="failed">
          The settings could not be read: {failure.value.text}{' '}
          {failure.value.needsLogIn && (
            <button type="button" class="link" onClick={() => openLogIn()}>
              Log in
            </button>
          )}
        </p>
      )}
      {settings.value === null && failure.value === null && <p class="quiet">Reading …</p>}
      {settings.value !== null && shown.length === 0 && <p class="quiet">No setting matches.</p>}
      {shown.length > 0 && <SettingsTable settings={shown} caption="Settings in force" />}
    </section>
  )
}
