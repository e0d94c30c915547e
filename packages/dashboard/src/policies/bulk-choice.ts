import type { PolicyView } from '@holdfast/server/wire'

/** The server takes no more at once. */
const mostAtOnce = 1_000

/** What can be done with many policies at once. */
export interface BulkChoice {
  /** Policies that are meant. */
  readonly count: number
  /** Those among them that take an action at all. */
  readonly changeable: number
  /** Whether they were picked, or are all that is shown. */
  readonly isPicked: boolean
  /** Each action with the ids of those that take it. */
  readonly actions: readonly { readonly action: string; readonly ids: readonly string[] }[]
}

/** For the selected policies among those shown; without a selection, for all that are shown. */
export function bulkChoice(shown: readonly PolicyView[], selected: ReadonlySet<string>): BulkChoice {
  const picked = shown.filter(({ id }) => selected.has(id))
  const meant = picked.length > 0 ? picked : shown
  const changeable = meant.filter(({ actions }) => actions.length > 0).slice(0, mostAtOnce)
  const byAction = new Map<string, string[]>()
  for (const { id, actions } of changeable) {
    for (const action of actions) {
      const ids = byAction.get(action)
      if (ids === undefined) byAction.set(action, [id])
      else ids.push(id)
    }
  }
  return {
    count: meant.length,
    changeable: changeable.length,
    isPicked: picked.length > 0,
    actions: [...byAction].map(([action, ids]) => ({ action, ids })),
  }
}
