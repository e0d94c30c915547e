import { causesOf } from './causes.ts'
import { statusOf } from './match-error.ts'

/** Codes and types with which providers say that an account has no more to spend: waiting does not help. */
const exhaustedCodes: ReadonlySet<string> = new Set([
  'insufficient_quota',
  'billing_hard_limit_reached',
  'billing_not_active',
  'billing_error',
  'account_deactivated',
  'credit_balance_too_low',
])

/** Anthropic says it with 400 `invalid_request_error` and this sentence. */
const exhaustedText = /credit balance is too low/i

const paymentRequired = 402

/** Longer texts are no error bodies. */
const longestBody = 65_536

/**
 * Whether an error, or the body of an answer (parsed or text), says that the account's quota or credit is used up, as opposed to a
 * rate limit that passes: trying again cannot help. Looks through causes and at `code`, `type`, `error`, `data` and `responseBody`.
 */
export function isQuotaExhausted(errorOrBody: unknown): boolean {
  if (typeof errorOrBody === 'string') return isExhaustedBody(errorOrBody)
  return causesOf(errorOrBody).some((each) => {
    try {
      return statusOf(each) === paymentRequired || saysSo(each, 0)
    } catch {
      return false // an error whose fields throw when they are read says nothing
    }
  })
}

function saysSo(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null || depth > 3) return false
  const { code, type, message, error, data, responseBody } = value as Readonly<Record<string, unknown>>
  if (isExhaustedCode(code) || isExhaustedCode(type)) return true
  if (typeof message === 'string' && exhaustedText.test(message)) return true
  if (typeof responseBody === 'string' && isExhaustedBody(responseBody)) return true
  return saysSo(error, depth + 1) || saysSo(data, depth + 1)
}

function isExhaustedCode(code: unknown): boolean {
  return typeof code === 'string' && exhaustedCodes.has(code)
}

function isExhaustedBody(text: string): boolean {
  if (text.length > longestBody) return false
  try {
    const body: unknown = JSON.parse(text)
    return saysSo(body, 0)
  } catch {
    return false
  }
}
