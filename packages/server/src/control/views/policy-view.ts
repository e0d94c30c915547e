import type { PolicyStatus } from 'holdfast'
import type { HealthReport } from 'holdfast/system'
import { stateOf } from '../../history/index.ts'
import type { PolicyDetail, PolicyView } from '../../wire.ts'
import { steadyReason } from './steady-reason.ts'
import type { ViewSource } from './view-source.ts'

const eventsOfDetail = 100

/** One policy; undefined when there is none of that id. `health`: a report of this moment. */
export function policyView(source: ViewSource, id: string, health: HealthReport): PolicyView | undefined {
  const { system, history } = source
  if (!system.has(id)) return undefined
  const policy = system.get(id)
  const status = policy.kind === 'pipeline' ? { kind: policy.kind, name: policy.name } : figures(policy.status())
  const { state, since } = stateOf([status])
  const component = health.components[id]
  return {
    id,
    name: policy.name,
    kind: policy.kind,
    state,
    since,
    forced: source.forced(id),
    health: { status: component?.status ?? 'unknown', reason: steadyReason(component?.reason) },
    status,
    dependencies: history.dependenciesOf(id),
    actions: source.actionsOf(policy.kind),
  }
}

export function policyDetail(source: ViewSource, id: string): PolicyDetail | undefined {
  const view = policyView(source, id, source.health())
  if (view === undefined) return undefined
  return { ...view, settings: source.settingsOf(id), events: source.history.findEvents({ policy: id, limit: eventsOfDetail }) }
}

/** Status as it is told: instants in whole ms, and nothing that grows by itself while nothing happens. */
function figures({ timeSinceLastFailureMs: _sinceLastFailure, ...status }: PolicyStatus): PolicyStatus {
  const { pausedUntil } = status
  return { ...(status as PolicyStatus), ...(typeof pausedUntil === 'number' ? { pausedUntil: Math.round(pausedUntil) } : {}) }
}
