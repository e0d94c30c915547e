import type { DependencyView } from '@holdfast/server/wire'
import { useSignal } from '@preact/signals'
import { deleteJson, postJson } from '../api/client.ts'
import { now } from '../live/store.ts'
import { OperateGate } from '../session/operate-gate.tsx'
import { offerLogInAfter } from '../session/log-in.ts'
import { lastedText } from '../words/figure-text.ts'
import { expiryChoices } from './action-words.ts'

/** Silences a dependency with one click, for a time; says who did, why and how much longer, and takes it back. */
export function SilenceControl({ dependency }: { readonly dependency: DependencyView }) {
  const failure = useSignal<string | null>(null)
  const isSending = useSignal(false)
  const { name, silence } = dependency
  const path = `/api/v1/dependencies/${encodeURIComponent(name)}/silence`

  const ask = async (change: () => Promise<unknown>): Promise<void> => {
    isSending.value = true
    failure.value = null
    try {
      await change()
    } catch (error) {
      failure.value = `Not done: ${error instanceof Error ? error.message : 'the server cannot be reached'}`
      await offerLogInAfter(error)
    } finally {
      isSending.value = false
    }
  }
  return (
    <div class="silence" role="group" aria-label={`Silence for ${name}`}>
      {silence !== null && (
        <span>
          Silenced by {silence.by} for another {lastedText(silence.expiresAt - now.value)}: “{silence.reason}”.{' '}
        </span>
      )}
      <OperateGate>
        {silence === null ? (
          <>
            Silence for{' '}
            {expiryChoices.flatMap(({ label, value }) =>
              value === null
                ? []
                : [
                    <button
                      type="button"
                      key={label}
                      disabled={isSending.value}
                      onClick={() => void ask(() => postJson(path, { reason: 'silenced on the page', expiresIn: value }))}
                    >
                      {label}
                    </button>,
                  ],
            )}
          </>
        ) : (
          <button type="button" disabled={isSending.value} onClick={() => void ask(() => deleteJson(path))}>
            Take back
          </button>
        )}
      </OperateGate>
      <span role="alert" class="failed">
        {failure.value}
      </span>
    </div>
  )
}
