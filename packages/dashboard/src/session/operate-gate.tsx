import type { ComponentChildren } from 'preact'
import { session } from '../api/client.ts'
import { openLogIn } from './log-in.ts'
import { canLogIn, whyNotOperate } from './role-text.ts'

/** Shows actions to those who may operate; everybody else reads what it takes, and may log in. The server decides in any case. */
export function OperateGate({ children }: { readonly children: ComponentChildren }) {
  const refusal = whyNotOperate(session.value)
  if (refusal === null) return <>{children}</>
  return (
    <p class="quiet needs-operate">
      {refusal}{' '}
      {canLogIn(session.value) && (
        <button type="button" class="link" onClick={() => openLogIn()}>
          Log in
        </button>
      )}
    </p>
  )
}
