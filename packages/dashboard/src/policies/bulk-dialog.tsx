import { useSignal } from '@preact/signals'
import { postJson } from '../api/client.ts'
import { actionWords, expiryChoices } from '../detail/action-words.ts'
import { offerLogInAfter } from '../session/log-in.ts'
import { Dialog } from '../ui/dialog.tsx'
import { countText } from '../words/figure-text.ts'
import type { BulkChoice } from './bulk-choice.ts'

interface BulkAnswer {
  readonly done: readonly string[]
  readonly failed: readonly { readonly id: string; readonly message: string }[]
}

const namedAtMost = 8

/** Asks for action, reason and expiry, names how many policies and which, and tells afterwards which of them the server did not change. */
export function BulkDialog({ choice, onClose }: { readonly choice: BulkChoice; readonly onClose: () => void }) {
  const answer = useSignal<BulkAnswer | null>(null)
  const { changeable } = choice
  return (
    <Dialog title={`Change ${countText(changeable)} ${changeable === 1 ? 'policy' : 'policies'}`} onClose={onClose}>
      {answer.value === null ? (
        <BulkForm choice={choice} onClose={onClose} onAnswer={(given) => (answer.value = given)} />
      ) : (
        <Answer answer={answer.value} onClose={onClose} />
      )}
    </Dialog>
  )
}

interface BulkFormProps {
  readonly choice: BulkChoice
  readonly onClose: () => void
  readonly onAnswer: (answer: BulkAnswer) => void
}

function BulkForm({ choice, onClose, onAnswer }: BulkFormProps) {
  const action = useSignal(choice.actions[0]?.action ?? '')
  const failure = useSignal<string | null>(null)
  const isSending = useSignal(false)
  const ids = choice.actions.find((each) => each.action === action.value)?.ids ?? []
  const words = actionWords(action.value)

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    if (isSending.value) return
    const form = new FormData(event.currentTarget as HTMLFormElement)
    const reason = fieldText(form, 'reason')
    const expiresIn = fieldText(form, 'expiresIn')
    isSending.value = true
    failure.value = null
    try {
      const body = { ids, action: action.value, reason, ...(expiresIn === '' ? {} : { expiresIn }) }
      const answer = await postJson<BulkAnswer>('/api/v1/policies', body)
      if (answer.failed.length === 0) onClose()
      else onAnswer(answer)
    } catch (error) {
      failure.value = `Not done: ${error instanceof Error ? error.message : 'the server cannot be reached'}`
      await offerLogInAfter(error)
    } finally {
      isSending.value = false
    }
  }
  return (
    <form class="action-form" onSubmit={(event) => void submit(event)}>
      <p>{namesOf(ids)}</p>
      <fieldset class="bulk-choice">
        <legend>What to do with them</legend>
        {choice.actions.map((each) => (
          <label key={each.action}>
            <input
              type="radio"
              name="action"
              value={each.action}
              checked={each.action === action.value}
              onChange={() => (action.value = each.action)}
            />{' '}
            {actionWords(each.action).label}
            {each.ids.length !== choice.changeable && ` (${countText(each.ids.length)})`}
          </label>
        ))}
      </fieldset>
      <label>
        Reason
        <input name="reason" required maxLength={500} autocomplete="off" />
      </label>
      {words.isLasting && (
        <fieldset class="bulk-choice bulk-expiry">
          <legend>Takes itself back after</legend>
          {expiryChoices.map(({ label, value }) => (
            <label key={label}>
              <input type="radio" name="expiresIn" value={value ?? ''} defaultChecked={value === '1h'} /> {label}
            </label>
          ))}
        </fieldset>
      )}
      <p role="alert" class="failed">
        {failure.value}
      </p>
      <div class="dialog-actions">
        <button type="button" onClick={onClose}>
          Cancel
        </button>
        <button type="submit" class="primary" disabled={isSending.value}>
          {isSending.value ? 'Asking the server …' : `${words.label} ${countText(ids.length)}`}
        </button>
      </div>
    </form>
  )
}

function fieldText(form: FormData, name: string): string {
  const value = form.get(name)
  return typeof value === 'string' ? value.trim() : ''
}

function namesOf(ids: readonly string[]): string {
  const rest = ids.length - namedAtMost
  return `${ids.slice(0, namedAtMost).join(', ')}${rest > 0 ? ` and ${countText(rest)} more` : ''}.`
}

function Answer({ answer, onClose }: { readonly answer: BulkAnswer; readonly onClose: () => void }) {
  const { done, failed } = answer
  return (
    <>
      <p role="status">
        {countText(done.length)} done, <span class="failed">{countText(failed.length)} not</span>:
      </p>
      <ul class="bulk-failures">
        {failed.map(({ id, message }) => (
          <li key={id}>
            {id}: {message}
          </li>
        ))}
      </ul>
      <div class="dialog-actions">
        <button type="button" class="primary" onClick={onClose}>
          Close
        </button>
      </div>
    </>
  )
}
