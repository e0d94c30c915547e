import type { HealthReport } from 'holdfast/system'
import type { DependencyView, HealthStatus } from '../../wire.ts'
import { steadyReason } from './steady-reason.ts'
import type { ViewSource } from './view-source.ts'

const rank: Readonly<Record<HealthStatus, number>> = { pass: 0, unknown: 1, warn: 2, fail: 3 }

/** One row of the wall; undefined when there is no dependency of that name. */
export function dependencyView(source: ViewSource, name: string, health: HealthReport): DependencyView | undefined {
  const { history } = source
  const recorder = history.recorder(name)
  const reading = history.state(name)
  if (recorder === undefined || reading === undefined) return undefined
  const policies = history.policiesOf(name)
  const { number, coveredMs } = history.present
  return {
    name,
    url: withoutCredentials(source.urlOf(name)),
    state: reading.state,
    since: reading.since,
    forced: policies.map((id) => source.forced(id)).find((forced) => forced !== null) ?? null,
    silence: source.silence(name),
    health: healthOf(name, policies, health),
    nextAttemptAt: reading.nextAttemptAt,
    pausedUntil: reading.pausedUntil,
    recent: recorder.recent(number, coveredMs),
    running: recorder.gates.running,
    queued: recorder.gates.queued,
    totals: recorder.totals,
    policies,
  }
}

/** What its own check says, and the policies before it; the worst counts. */
function healthOf(name: string, policies: readonly string[], { checks, components }: HealthReport): DependencyView['health'] {
  const records = [checks[`upstream/${name}`], ...policies.map((id) => components[id])].filter((record) => record !== undefined)
  const worst = records.toSorted((a, b) => rank[b.status] - rank[a.status])[0]
  return { status: worst?.status ?? 'unknown', reason: steadyReason(worst?.reason) }
}

function withoutCredentials(url: string): string {
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname.replace(/\/+$/, '')}`
}
