import { stateWords, type ShownState } from '../words/state-words.ts'
import { StateGlyph } from './state-glyph.tsx'

interface StateBadgeProps {
  readonly state: ShownState
  /** A person set it. */
  readonly isForced?: boolean
}

/** A state as its own shape and its name; the colour only repeats them. */
export function StateBadge({ state, isForced = false }: StateBadgeProps) {
  const { name, meaning } = stateWords[state]
  return (
    <span class={isForced ? 'state forced' : 'state'} data-state={state} title={isForced ? `${meaning}; set by hand` : meaning}>
      <StateGlyph state={state} />
      {name}
      {isForced && <span class="forced-mark"> by hand</span>}
    </span>
  )
}
