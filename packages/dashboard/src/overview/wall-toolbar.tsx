import type { Signal } from '@preact/signals'
import { wall } from '../live/wall-feed.ts'
import { RangeChoice } from '../ui/range-choice.tsx'
import { countText } from '../words/figure-text.ts'
import { stateWords, type ShownState } from '../words/state-words.ts'
import { LoadSwatch, RibbonSwatch } from './ribbon-swatch.tsx'

interface WallToolbarProps {
  readonly filter: Signal<string>
  readonly isTable: Signal<boolean>
  readonly shown: number
  readonly total: number
}

/** What is shown and how: range of the axis, filter, picture or table, and the key to the picture. */
export function WallToolbar({ filter, isTable, shown, total }: WallToolbarProps) {
  return (
    <div class="toolbar wall-toolbar">
      <RangeChoice />
      <span role="search">
        <input
          type="search"
          data-search
          aria-label="Filter dependencies by name, state or policy"
          placeholder={`Filter ${countText(total)}  /`}
          value={filter.value}
          onInput={(event) => (filter.value = event.currentTarget.value)}
        />
      </span>
      {shown !== total && (
        <span class="quiet" role="status">
          {countText(shown)} of {countText(total)}
        </span>
      )}
      <button type="button" aria-pressed={isTable.value} onClick={() => (isTable.value = !isTable.value)}>
        Table
      </button>
      <Legend />
    </div>
  )
}

/** The states that are to be seen now, as they look, and what the trace means. */
function Legend() {
  const seen = new Set<ShownState>()
  let hasForced = false
  for (const { segments } of wall.value?.rows.values() ?? []) {
    for (const { state, forced } of segments) {
      seen.add(state)
      hasForced ||= forced
    }
  }
  return (
    <ul class="wall-legend" aria-label="Legend">
      {(Object.keys(stateWords) as ShownState[])
        .filter((state) => seen.has(state))
        .map((state) => (
          <li key={state} title={stateWords[state].meaning}>
            <RibbonSwatch state={state} />
            {stateWords[state].name}
          </li>
        ))}
      {hasForced && (
        <li title="a person set it">
          <RibbonSwatch state="closed" isForced />
          by hand
        </li>
      )}
      <li title="calls sent to the dependency, retries included; each row on a scale of its own">
        <LoadSwatch />
        sent, failed
      </li>
    </ul>
  )
}
