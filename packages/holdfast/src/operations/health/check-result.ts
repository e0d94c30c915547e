import { publicText } from '../../core/log/index.ts'
import type { HealthRecord } from '../../core/policy.ts'

const words: Readonly<Record<string, HealthRecord['status']>> = {
  pass: 'pass',
  ok: 'pass',
  up: 'pass',
  healthy: 'pass',
  warn: 'warn',
  degraded: 'warn',
  fail: 'fail',
  error: 'fail',
  down: 'fail',
  critical: 'fail',
  unhealthy: 'fail',
  unknown: 'unknown',
}

/** What a check's answer says. Nothing or true is a pass; a status inside an object counts; what cannot be understood is a failure. */
export function recordOf(result: unknown): HealthRecord {
  if (result === undefined || result === true) return { status: 'pass' }
  if (result === false) return { status: 'fail', reason: 'the check answered false' }
  if (typeof result === 'string' && result in words) return { status: words[result] as HealthRecord['status'] }
  if (typeof result === 'object' && result !== null) {
    const { status, healthy, ok, reason } = result as { status?: unknown; healthy?: unknown; ok?: unknown; reason?: unknown }
    const said = typeof status === 'string' ? words[status.toLowerCase()] : undefined
    const verdict =
      said ?? (typeof healthy === 'boolean' ? (healthy ? 'pass' : 'fail') : typeof ok === 'boolean' ? (ok ? 'pass' : 'fail') : undefined)
    if (verdict === 'pass') return { status: 'pass' }
    if (verdict !== undefined)
      return { status: verdict, reason: typeof reason === 'string' ? publicText(reason) : `the check answered ${verdict}` }
  }
  return { status: 'fail', reason: 'the check answered something that is no status' }
}

/** What a thrown value says, fit to be shown. */
export function recordOfError(error: unknown): HealthRecord {
  const message = error instanceof Error ? error.message : typeof error === 'string' ? error : `the check threw ${typeof error}`
  return { status: 'fail', reason: publicText(message) }
}
