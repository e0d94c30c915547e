import { effect } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { connection, dependencies } from '../live/store.ts'
import { isInTrouble } from '../overview/severity.ts'

/** Names what is wrong in the title, for those who look at another tab. */
export function usePageTitle(): void {
  useEffect(
    () =>
      effect(() => {
        document.title = titleOf()
      }),
    [],
  )
}

function titleOf(): string {
  if (connection.value.state === 'stale') return 'stale · Holdfast'
  const troubled = Object.values(dependencies.value).filter(isInTrouble)
  const [first] = troubled
  if (first === undefined) return 'Holdfast'
  return troubled.length === 1 ? `${first.name} ${first.state} · Holdfast` : `${troubled.length} in trouble · Holdfast`
}
