import type { RibbonState } from '@holdfast/server/wire'

export type ShownState = RibbonState | 'unknown'

interface StateWords {
  readonly name: string
  readonly meaning: string
}

/** Every state that can stand on a ribbon: its name, and what it means for calls. In the order of a legend. */
export const stateWords: Readonly<Record<ShownState, StateWords>> = {
  closed: { name: 'closed', meaning: 'calls go through, and are watched' },
  'half-open': { name: 'half-open', meaning: 'a few probes go through; the rest is refused until they succeed' },
  open: { name: 'open', meaning: 'it fails, so calls are refused at once' },
  isolated: { name: 'isolated', meaning: 'cut off by hand until somebody takes it back' },
  paused: { name: 'paused', meaning: 'the provider asked for a pause (429), so calls wait or are refused' },
  disabled: { name: 'disabled', meaning: 'the protection is switched off; calls go through unwatched' },
  passing: { name: 'passing', meaning: 'nothing that could open stands before it' },
  unknown: { name: 'unknown', meaning: 'the server was down, or did not record it' },
}
