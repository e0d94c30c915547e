import type { PolicyView } from '@holdfast/server/wire'
import { useSignal } from '@preact/signals'
import { postJson } from '../api/client.ts'
import { dependencies } from '../live/store.ts'
import { offerLogInAfter } from '../session/log-in.ts'
import { Dialog } from '../ui/dialog.tsx'
import { fieldText } from '../ui/field-text.ts'
import { actionWords, expiryChoices } from './action-words.ts'
import { blastRadius } from './blast-radius.ts'

interface ActionDialogProps {
  readonly policy: PolicyView
  readonly action: string
  /** What the reason field holds at first. */
  readonly reason?: string
  readonly onClose: () => void
}

/**
 * Asks for reason and expiry, and says what the action does to how much traffic. Closes when the server has done it; the page shows
 * the new state when the live feed tells of it, never before.
 */
export function ActionDialog({ policy, action, reason = '', onClose }: ActionDialogProps) {
  const words = actionWords(action)
  const failure = useSignal<string | null>(null)
  const isSending = useSignal(false)
  const reached = policy.dependencies.flatMap((name) => dependencies.value[name] ?? [])

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    if (isSending.value) return
    const form = event.currentTarget as HTMLFormElement
    const expiresIn = fieldText(form, 'expiresIn')
    isSending.value = true
    failure.value = null
    try {
      await postJson(`/api/v1/policies/${encodeURIComponent(policy.id)}`, {
        action,
        reason: fieldText(form, 'reason'),
        ...(expiresIn === '' ? {} : { expiresIn }),
      })
      onClose()
    } catch (error) {
      failure.value = `Not done: ${error instanceof Error ? error.message : 'the server cannot be reached'}`
      await offerLogInAfter(error)
    } finally {
      isSending.value = false
    }
  }
  return (
    <Dialog title={words.heading(policy.name)} onClose={onClose}>
      <form class="action-form" onSubmit={(event) => void submit(event)}>
        <p class="blast-radius">{blastRadius(action, policy, reached)}</p>
        <label>
          Reason
          <input name="reason" required maxLength={500} autocomplete="off" defaultValue={reason} />
        </label>
        {words.isLasting && (
          <fieldset>
            <legend>Takes itself back after</legend>
            {expiryChoices.map(({ label, value }) => (
              <label class="choice" key={label}>
                <input type="radio" name="expiresIn" value={value ?? ''} defaultChecked={value === '1h'} /> {label}
              </label>
            ))}
          </fieldset>
        )}
        <p class="quiet">Goes into the audit log with your name, this reason and your address.</p>
        <p role="alert" class="failed">
          {failure.value}
        </p>
        <div class="dialog-actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={isSending.value}>
            {isSending.value ? 'Asking the server …' : words.label}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
