import type { ActiveFaultView } from './demo-view.ts'

/** A fault to inject: as the API takes it, and what the service then does. */
export interface FaultChoice {
  readonly fault: string
  readonly label: string
  readonly meaning: string
  /** Null for what is no fault. */
  readonly kind: string | null
  readonly mode?: string
}

export const faultChoices: readonly FaultChoice[] = [
  { fault: 'slow:5', label: 'slow × 5', kind: 'slow', meaning: 'is 5 times as slow' },
  { fault: 'rate-limit:6', label: '429 above 6/s', kind: 'rate-limit', meaning: 'answers 429 above 6 requests a second' },
  { fault: 'outage:error', label: '503', kind: 'outage', mode: 'error', meaning: 'answers 503' },
  { fault: 'outage:refuse', label: 'refuse', kind: 'outage', mode: 'refuse', meaning: 'refuses connections' },
  { fault: 'outage:reset', label: 'reset', kind: 'outage', mode: 'reset', meaning: 'resets connections' },
  { fault: 'stall', label: 'stall', kind: 'stall', meaning: 'never answers' },
  { fault: 'cut', label: 'cut', kind: 'cut', meaning: 'cuts its answers off' },
  { fault: 'none', label: 'no fault', kind: null, meaning: 'has no fault' },
  { fault: 'script', label: 'script', kind: null, meaning: 'follows the script' },
]

/** How long an injected fault lasts; null: until somebody takes it back. */
export const faultDurations: readonly { readonly label: string; readonly ms: number | null }[] = [
  { label: '10 s', ms: 10_000 },
  { label: '20 s', ms: 20_000 },
  { label: '60 s', ms: 60_000 },
  { label: 'until taken back', ms: null },
]

export function isInForce({ kind, mode }: FaultChoice, active: ActiveFaultView | undefined): boolean {
  return active !== undefined && active.fault.kind === kind && (mode === undefined || active.fault.mode === mode)
}
