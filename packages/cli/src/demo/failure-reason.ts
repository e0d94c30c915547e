import { causesOf, isHoldfastError, statusOf } from 'holdfast'
import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai'
import { IncompleteAnswer, UnhelpfulAnswer } from './agent.ts'

/** Why a task failed while its user still waited. */
export const failureReasons = [
  'refused',
  'rate-limited',
  'unavailable',
  'connection',
  'timeout',
  'incomplete',
  'unhelpful',
  'other',
] as const
export type FailureReason = (typeof failureReasons)[number]

/** Short words for people. */
export const failureWords: Readonly<Record<FailureReason, string>> = {
  refused: 'refused by a policy',
  'rate-limited': 'answered 429',
  unavailable: 'answered 5xx',
  connection: 'connection failed or broke',
  timeout: 'timed out',
  incomplete: 'answer incomplete',
  unhelpful: 'answer of no use',
  other: 'other',
}

const timeouts = new Set(['ERR_TIMEOUT', 'ERR_DEADLINE_EXCEEDED'])

/** The gateway's own answers: its error has this type, and a code that says why. */
const gatewayType = 'holdfast_error'
const gatewayReasons: Readonly<Record<string, FailureReason>> = {
  timeout: 'timeout',
  'deadline-exceeded': 'timeout',
  'upstream-unreachable': 'connection',
  'upstream-failed': 'connection',
}

/** The reason behind an error of the agent: of a policy, of the gateway, of the SDK, or of fetch. */
export function failureReason(error: unknown): FailureReason {
  for (const each of causesOf(error)) {
    if (isHoldfastError(each)) return timeouts.has(each.code) ? 'timeout' : 'refused'
    if (each instanceof IncompleteAnswer) return 'incomplete'
    if (each instanceof UnhelpfulAnswer) return 'unhelpful'
    if (each instanceof APIConnectionTimeoutError || isTimeoutSignal(each)) return 'timeout'
    if (each instanceof APIError && each.type === gatewayType) return gatewayReasons[each.code ?? ''] ?? 'refused'
    const status = statusOf(each)
    if (status === 429) return 'rate-limited'
    if (status !== undefined) return status >= 500 ? 'unavailable' : 'other'
  }
  return isConnectionFailure(error) ? 'connection' : 'other'
}

function isTimeoutSignal(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'TimeoutError'
}

/** What fetch throws when a connection cannot be made or breaks, and the SDK's wrapper of it. */
function isConnectionFailure(error: unknown): boolean {
  return causesOf(error).some(
    (each) => each instanceof APIConnectionError || (each instanceof TypeError && /^(fetch failed|terminated)$/.test(each.message)),
  )
}
