import type { ForcedView, PolicyView } from '@holdfast/server/wire'
import { useSignal } from '@preact/signals'
import { session } from '../api/client.ts'
import { now } from '../live/store.ts'
import { whyNotOperate } from '../session/role-text.ts'
import { TimeText } from '../ui/time-text.tsx'
import { lastedText } from '../words/figure-text.ts'
import { ActionDialog } from './action-dialog.tsx'
import { forcedText } from './action-words.ts'

/** A state that a person set: what, by whom, why, how much longer, and the way back. */
export function ForcedNotice({ forced, policy }: { readonly forced: ForcedView; readonly policy: PolicyView | null }) {
  const isAsked = useSignal(false)
  return (
    <p class="forced-notice" role="note">
      <b>{forcedText(forced.action)}</b> by {forced.by} <TimeText at={forced.at} />: “{forced.reason}”.{' '}
      {forced.expiresAt === null
        ? 'Stays until somebody takes it back.'
        : `Takes itself back in ${lastedText(forced.expiresAt - now.value)}.`}{' '}
      {policy !== null && whyNotOperate(session.value) === null && (
        <button type="button" onClick={() => (isAsked.value = true)}>
          Take back
        </button>
      )}
      {policy !== null && isAsked.value && (
        <ActionDialog policy={policy} action="close" reason="taken back" onClose={() => (isAsked.value = false)} />
      )}
    </p>
  )
}
