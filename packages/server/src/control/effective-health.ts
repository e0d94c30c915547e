import type { ComponentHealth, HealthReport } from 'holdfast/system'
import type { ForcedView } from '../wire.ts'

export interface HealthView {
  readonly forced: (policy: string) => ForcedView | undefined
  readonly isSilenced: (dependency: string) => boolean
  /** Dependencies and the ids of the policies in their pipelines. */
  readonly dependencies: () => ReadonlyMap<string, readonly string[]>
}

/** A report with what people have told the server: what stands under a silence is shown, and decides nothing. */
export interface EffectiveHealth extends HealthReport {
  /** Dependencies that are silenced. */
  readonly silenced: readonly string[]
}

type Trouble = { readonly status: HealthReport['status']; readonly reason: string | undefined }

const rank = { pass: 0, unknown: 1, warn: 2, fail: 3 } as const
const words = { pass: 'healthy', unknown: 'unknown', warn: 'degraded', fail: 'unhealthy' } as const

export function effectiveHealth(report: HealthReport, view: HealthView): EffectiveHealth {
  const dependencies = view.dependencies()
  const silenced = [...dependencies.keys()].filter(view.isSilenced)
  const isQuiet = quietPolicies(dependencies, new Set(silenced))
  const components = Object.fromEntries(
    Object.entries(report.components).map(([id, component]) => [id, withForcedReason(component, id, view.forced(id))]),
  )
  const counted = Object.entries(report.checks).filter(([name]) => !silenced.some((dependency) => name === `upstream/${dependency}`))
  const troubles: readonly Trouble[] = [
    ...Object.entries(components)
      .filter(([id]) => !isQuiet(id))
      .map(([, { status, reason }]) => ({ status: status === 'fail' ? ('warn' as const) : status, reason })),
    ...counted.map(([name, { status, critical, reason }]) => ({
      status: status === 'fail' && !critical ? ('warn' as const) : status,
      reason: reason === undefined ? undefined : `${name}: ${reason}`,
    })),
  ]
    .filter(({ status }) => status !== 'pass')
    .toSorted((a, b) => rank[b.status] - rank[a.status])
  const status = troubles[0]?.status ?? 'pass'
  return {
    ...report,
    status,
    summary: words[status],
    ready: counted.every(([, check]) => !check.critical || check.status === 'pass' || check.status === 'warn'),
    reasons: troubles.flatMap(({ reason }) => reason ?? []),
    components,
    silenced,
  }
}

/** A policy is quiet when it stands in pipelines of silenced dependencies only. */
function quietPolicies(dependencies: ReadonlyMap<string, readonly string[]>, silenced: ReadonlySet<string>): (id: string) => boolean {
  if (silenced.size === 0) return () => false
  const loud = new Set<string>()
  const quiet = new Set<string>()
  for (const [name, policies] of dependencies) for (const id of policies) (silenced.has(name) ? quiet : loud).add(id)
  return (id) => quiet.has(id) && !loud.has(id)
}

/** Who did it and why is for those who are logged in; that a hand did it, and until when, is for all. */
function withForcedReason(component: ComponentHealth, id: string, forced: ForcedView | undefined): ComponentHealth {
  if (forced === undefined) return component
  const until = forced.expiresAt === null ? 'until further notice' : `until ${new Date(forced.expiresAt).toISOString()}`
  const name = id.slice(id.indexOf('/') + 1)
  const reason = component.reason ?? `circuit breaker '${name}' is disabled and protects nothing`
  return { ...component, status: component.status === 'pass' ? 'warn' : component.status, reason: `${reason} (by hand, ${until})` }
}
