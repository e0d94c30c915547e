/** An action as a button says it, and as a heading asks for it. */
export interface ActionWords {
  readonly label: string
  readonly heading: (policy: string) => string
  /** Whether it lasts, and so may end by itself. */
  readonly isLasting: boolean
}

const known: Readonly<Record<string, ActionWords>> = {
  'force-open': { label: 'Force open', heading: (policy) => `Force ${policy} open`, isLasting: true },
  isolate: { label: 'Isolate', heading: (policy) => `Isolate ${policy}`, isLasting: true },
  disable: { label: 'Switch off', heading: (policy) => `Switch ${policy} off`, isLasting: true },
  close: { label: 'Close', heading: (policy) => `Close ${policy}`, isLasting: false },
  reset: { label: 'Reset', heading: (policy) => `Reset ${policy}`, isLasting: false },
}

export function actionWords(action: string): ActionWords {
  return Object.hasOwn(known, action)
    ? (known[action] as ActionWords)
    : { label: action, heading: (policy) => `${action}: ${policy}`, isLasting: false }
}

const forcedTexts: Readonly<Record<string, string>> = { 'force-open': 'Forced open', isolate: 'Isolated by hand', disable: 'Switched off' }

/** `force-open` → `Forced open`. */
export function forcedText(action: string): string {
  return forcedTexts[action] ?? action
}

/** How long a forced state or a silence may last; null: until somebody takes it back. */
export const expiryChoices: readonly { readonly label: string; readonly value: string | null }[] = [
  { label: '15 min', value: '15m' },
  { label: '1 h', value: '1h' },
  { label: '4 h', value: '4h' },
  { label: '24 h', value: '24h' },
  { label: 'until taken back', value: null },
]
