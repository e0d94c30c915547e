import type { HealthReport } from 'holdfast/system'
import { expect, it } from 'vitest'
import { effectiveHealth, type HealthView } from './effective-health.ts'

const check = {
  status: 'fail',
  reason: 'no answer',
  critical: true,
  checkedAt: 0,
  ageMs: 0,
  tookMs: 1,
  lastError: null,
} as unknown as HealthReport['checks'][string]
const report: HealthReport = {
  status: 'fail',
  summary: 'unhealthy',
  ready: false,
  reasons: ['upstream/db: no answer', "circuit breaker 'db' is open"],
  components: {
    'circuit-breaker/db': { kind: 'circuit-breaker', status: 'warn', reason: "circuit breaker 'db' is open" },
    'circuit-breaker/shared': { kind: 'circuit-breaker', status: 'pass' },
  },
  checks: { 'upstream/db': check },
  at: 5,
}
const dependencies = new Map([
  ['db', ['circuit-breaker/db', 'circuit-breaker/shared']],
  ['llm', ['circuit-breaker/shared']],
])
const view = (over: Partial<HealthView>): HealthView => ({
  forced: () => undefined,
  isSilenced: () => false,
  dependencies: () => dependencies,
  ...over,
})
const forced = { action: 'disable', reason: 'secret plan', by: 'ops', at: 0, expiresAt: 3_600_000 } as const

it('without silences and forced states a report says what it said before', () => {
  expect(effectiveHealth(report, view({}))).toEqual({ ...report, silenced: [] })
})

it('S52: what is silenced is shown, and decides neither health nor readiness', () => {
  const silenced = effectiveHealth(report, view({ isSilenced: (name) => name === 'db' }))
  expect(silenced).toMatchObject({ status: 'pass', summary: 'healthy', ready: true, reasons: [], silenced: ['db'] })
  expect(silenced.checks).toEqual(report.checks)
})

it('a policy that other dependencies need, too, counts', () => {
  const shared = {
    ...report,
    components: { 'circuit-breaker/shared': { kind: 'circuit-breaker', status: 'warn', reason: 'open' } },
  } as const
  expect(effectiveHealth(shared, view({ isSilenced: (name) => name === 'db' }))).toMatchObject({ status: 'warn', reasons: ['open'] })
  expect(effectiveHealth(shared, view({ isSilenced: () => true }))).toMatchObject({ status: 'pass', ready: true })
})

it('S50: what a hand has set is a reason of its own, that says until when, but to strangers neither who nor why', () => {
  const quiet = { ...report, checks: {}, components: { 'circuit-breaker/db': { kind: 'circuit-breaker', status: 'pass' } } } as const
  const health = effectiveHealth(quiet, view({ forced: () => forced }))
  expect(health.status).toBe('warn')
  expect(health.reasons).toEqual(["circuit breaker 'db' is disabled and protects nothing (by hand, until 1970-01-01T01:00:00.000Z)"])
})
