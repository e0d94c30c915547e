import { useSignal, type Signal } from '@preact/signals'
import { session } from '../api/client.ts'
import { policies } from '../live/store.ts'
import { whyNotOperate } from '../session/role-text.ts'
import { countText } from '../words/figure-text.ts'
import { bulkChoice, type BulkChoice } from './bulk-choice.ts'
import { BulkDialog } from './bulk-dialog.tsx'

interface BulkBarProps {
  readonly shown: readonly string[]
  readonly selected: Signal<ReadonlySet<string>>
}

export function mayOperate(): boolean {
  return whyNotOperate(session.value) === null
}

/** The way to change many policies at once, with their number; nothing for those who may not. */
export function BulkBar({ shown, selected }: BulkBarProps) {
  /** As it was when it was asked for: what comes and goes meanwhile is not meant. */
  const asked = useSignal<BulkChoice | null>(null)
  if (!mayOperate()) return null
  const choice = bulkChoice(
    shown.flatMap((id) => policies.value[id] ?? []),
    selected.value,
  )
  return (
    <div class="bulk">
      {choice.isPicked && (
        <button type="button" class="link" onClick={() => (selected.value = new Set())}>
          Select none
        </button>
      )}
      <button type="button" disabled={choice.changeable === 0} onClick={() => (asked.value = choice)}>
        {buttonText(choice)}
      </button>
      {asked.value !== null && <BulkDialog choice={asked.value} onClose={() => (asked.value = null)} />}
    </div>
  )
}

function buttonText({ count, changeable, isPicked }: BulkChoice): string {
  const which = isPicked ? 'selected' : 'shown'
  if (changeable === 0) return `None of the ${countText(count)} ${which} can be changed`
  return changeable === count
    ? `Change the ${countText(count)} ${which} …`
    : `Change ${countText(changeable)} of the ${countText(count)} ${which} …`
}
