import type { Call } from 'holdfast'

export type Priority = Call['priority']

/** How much the requests of an upstream matter: all the same, or as a header says. */
export type PriorityRule = Priority | `header:${string}`

const names: readonly Priority[] = ['low', 'normal', 'high', 'critical']

/** By the urgency of RFC 9218, of which 3 is the usual one. */
const byUrgency: readonly Priority[] = ['critical', 'critical', 'high', 'normal', 'low', 'low', 'low', 'low']

/**
 * The priority of a request. A header may name it (`high`) or give an urgency (RFC 9218, `u=1`); anything else, or nothing, is
 * `normal`.
 */
export function requestPriority(rule: PriorityRule, header: (name: string) => string | undefined): Priority {
  if (!rule.startsWith('header:')) return rule as Priority
  const value = header(rule.slice('header:'.length))?.trim().toLowerCase()
  if (value === undefined) return 'normal'
  const named = names.find((name) => name === value)
  if (named !== undefined) return named
  const urgency = /(?:^|,)\s*u=([0-7])\s*(?:$|[,;])/.exec(value)?.[1]
  return urgency === undefined ? 'normal' : (byUrgency[Number(urgency)] as Priority)
}
