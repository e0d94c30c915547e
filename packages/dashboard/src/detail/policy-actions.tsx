import type { PolicyView } from '@holdfast/server/wire'
import { useSignal } from '@preact/signals'
import { OperateGate } from '../session/operate-gate.tsx'
import { ActionDialog } from './action-dialog.tsx'
import { actionWords } from './action-words.ts'

/** A button for each action the policy takes. */
export function PolicyActions({ policy }: { readonly policy: PolicyView }) {
  const asked = useSignal<string | null>(null)
  if (policy.actions.length === 0) return null
  return (
    <div class="actions">
      <OperateGate>
        {policy.actions.map((action) => (
          <button type="button" key={action} onClick={() => (asked.value = action)}>
            {actionWords(action).label}
          </button>
        ))}
      </OperateGate>
      {asked.value !== null && <ActionDialog policy={policy} action={asked.value} onClose={() => (asked.value = null)} />}
    </div>
  )
}
