import { useComputed, useSignal, type Signal } from '@preact/signals'
import type { DependencyView } from '@holdfast/server/wire'
import { dependencies } from '../live/store.ts'
import { wall } from '../live/wall-feed.ts'
import { troubleSince } from '../live/wall-history.ts'
import { shownOrder, worstFirst } from './severity.ts'

/** Names of the dependencies that are shown, worst first; the order is kept while somebody is pointing at it. */
export function useShownNames(filter: Signal<string>, isHeld: Signal<boolean>): readonly string[] {
  const shown = useSignal<readonly string[]>([])
  const names = useComputed(() => {
    const search = filter.value.trim().toLowerCase()
    const matching = Object.values(dependencies.value).filter((dependency) => matches(dependency, search))
    return shownOrder(
      shown.peek(),
      worstFirst(matching, (each) => troubleSince(wall.value, each)).map(({ name }) => name),
      isHeld.value,
    )
  })
  shown.value = names.value
  return names.value
}

function matches({ name, state, policies, forced, silence }: DependencyView, search: string): boolean {
  if (search === '') return true
  return [name, state, ...policies, forced === null ? '' : 'forced', silence === null ? '' : 'silenced'].some((text) =>
    text.toLowerCase().includes(search),
  )
}
