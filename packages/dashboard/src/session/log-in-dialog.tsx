import { useSignal } from '@preact/signals'
import { Dialog } from '../ui/dialog.tsx'
import { fieldText } from '../ui/field-text.ts'
import { logIn, logInFailure, logInPrompt } from './log-in.ts'

/** Asks for a token. The field is emptied with every answer; nothing of it is stored. */
export function LogInDialog() {
  const prompt = logInPrompt.value
  if (prompt === null) return null
  return (
    <Dialog title="Log in" onClose={() => (logInPrompt.value = null)}>
      <LogInForm prompt={prompt} />
    </Dialog>
  )
}

function LogInForm({ prompt }: { readonly prompt: string }) {
  const failure = useSignal<string | null>(null)
  const isSending = useSignal(false)

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    const form = event.currentTarget as HTMLFormElement
    const token = fieldText(form, 'token')
    if (token === '' || isSending.value) return
    isSending.value = true
    failure.value = null
    try {
      await logIn(token)
    } catch (error) {
      failure.value = `Not logged in: ${logInFailure(error)}`
      form.querySelector('input')?.focus()
    } finally {
      form.reset()
      isSending.value = false
    }
  }
  return (
    <form onSubmit={(event) => void submit(event)}>
      {prompt !== '' && <p>{prompt}</p>}
      <label>
        Token
        <input name="token" type="password" autocomplete="off" spellcheck={false} required aria-describedby="token-help" />
      </label>
      <p id="token-help" class="quiet">
        One of server.tokens of the configuration. It goes to this server once and is stored nowhere; the session lasts in a cookie that
        scripts cannot read.
      </p>
      <p role="alert" class="failed">
        {failure.value}
      </p>
      <div class="dialog-actions">
        <button type="submit" class="primary" disabled={isSending.value}>
          {isSending.value ? 'Logging in …' : 'Log in'}
        </button>
      </div>
    </form>
  )
}
