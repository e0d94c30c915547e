import { useEffect } from 'preact/hooks'
import { navigate, route } from '../router.tsx'
import { crosshair } from '../time-axis.ts'
import { isHelpOpen } from './help-dialog.tsx'
import { moveRow } from './row-keys.ts'

/** The keys that work on every page. Text fields and dialogs keep theirs. */
export function useKeys(): void {
  useEffect(() => {
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [])
}

function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
  if (document.querySelector('dialog[open]') !== null) return
  const target = event.target instanceof HTMLElement ? event.target : null
  if (target?.matches('input, textarea, select') === true) {
    if (event.key === 'Escape') leaveField(target)
    return
  }
  const action = actions[event.key]
  if (action === undefined) return
  event.preventDefault()
  action()
}

const actions: Readonly<Record<string, () => void>> = {
  '/': focusSearch,
  '?': () => (isHelpOpen.value = true),
  j: () => moveRow(1),
  k: () => moveRow(-1),
  Escape: goBack,
}

function focusSearch(): void {
  const field = document.querySelector<HTMLInputElement>('main [data-search]')
  if (field === null) navigate('/policies')
  else field.select()
  field?.focus()
}

/** The first Escape in a field empties it, the next leaves it. */
function leaveField(field: HTMLElement): void {
  if (field instanceof HTMLInputElement && field.type === 'search' && field.value !== '') {
    field.value = ''
    field.dispatchEvent(new Event('input', { bubbles: true }))
  } else field.blur()
}

function goBack(): void {
  if (crosshair.value !== null) crosshair.value = null
  else if (route.value.page === 'policy') navigate('/policies')
  else if (route.value.page === 'dependency') navigate('/')
  else if (document.activeElement instanceof HTMLElement) document.activeElement.blur()
}
