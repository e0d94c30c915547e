import type { PolicyEvent } from 'holdfast'

/** Marks what a hand did: a change of a circuit that no call has caused. */
export function withForcedMark<E extends PolicyEvent>(event: E): E {
  const { type, manual, reason } = event as PolicyEvent & { readonly manual?: unknown; readonly reason?: { readonly rule?: unknown } }
  const byHand = type === 'circuit.isolated' || type === 'circuit.disabled' || manual === true || reason?.rule === 'manual'
  return byHand && type.startsWith('circuit.') ? { ...event, forced: true } : event
}
