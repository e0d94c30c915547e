import { useSignal } from '@preact/signals'
import { session } from '../api/client.ts'
import { logOut, openLogIn } from './log-in.ts'

/** Who the page works for, with the way in or out; nothing on a server without tokens. */
export function SessionMenu() {
  const isLeaving = useSignal(false)
  const current = session.value
  if (current === null || !current.tokens) return null
  if (current.who === null) {
    return (
      <button type="button" class="plain" onClick={() => openLogIn()}>
        Log in
      </button>
    )
  }
  const leave = async (): Promise<void> => {
    isLeaving.value = true
    await logOut().catch(() => undefined)
    isLeaving.value = false
  }
  return (
    <span class="session">
      <span>{current.who}</span> <small>{current.role === 'operate' ? 'may operate' : 'may read'}</small>{' '}
      <button type="button" class="plain" disabled={isLeaving.value} onClick={() => void leave()}>
        Log out
      </button>
    </span>
  )
}
