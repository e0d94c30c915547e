import type { JSX } from 'preact'
import type { ShownState } from '../words/state-words.ts'

const shapes: Readonly<Record<ShownState, () => JSX.Element>> = {
  closed: () => <circle cx="6" cy="6" r="4.5" fill="currentColor" />,
  'half-open': () => (
    <>
      <circle cx="6" cy="6" r="4.25" fill="none" stroke="currentColor" stroke-width="1.5" />
      <path d="M6 1.5a4.5 4.5 0 0 1 0 9z" fill="currentColor" />
    </>
  ),
  open: () => <path d="M6 .5 11.5 6 6 11.5.5 6z" fill="currentColor" />,
  isolated: () => (
    <path
      d="M1 1h10v10H1zM3.4 4.5 4.9 6 3.4 7.5l1.1 1.1L6 7.1l1.5 1.5 1.1-1.1L7.1 6l1.5-1.5-1.1-1.1L6 4.9 4.5 3.4z"
      fill="currentColor"
      fill-rule="evenodd"
    />
  ),
  paused: () => <path d="M2 1h3v10H2zM7 1h3v10H7z" fill="currentColor" />,
  disabled: () => <path d="M2 2l8 8M6 1.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9z" fill="none" stroke="currentColor" stroke-width="1.5" />,
  passing: () => <path d="M1 6h10" fill="none" stroke="currentColor" stroke-width="2" />,
  unknown: () => <circle cx="6" cy="6" r="4.25" fill="none" stroke="currentColor" stroke-width="1.5" stroke-dasharray="2 2" />,
}

/** The shape of a state, without words: they stand beside it. */
export function StateGlyph({ state }: { readonly state: ShownState }) {
  const Shape = shapes[state]
  return (
    <svg class="glyph" data-state={state} viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
      <Shape />
    </svg>
  )
}
