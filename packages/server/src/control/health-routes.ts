import { Hono, type Context } from 'hono'
import type { FaultTolerantSystem, HealthReport } from 'holdfast/system'
import { tokenOf, type Token } from './authority.ts'
import type { ControlEnvironment } from './environment.ts'

/** Where the process is in its life. */
export interface Lifecycle {
  readonly phase: 'starting' | 'serving' | 'draining'
  readonly startedAt: number
}

export interface HealthRoutesOptions {
  readonly system: FaultTolerantSystem
  readonly lifecycle: () => Lifecycle
  readonly tokens: readonly Token[]
  readonly version: string
}

/** `/health` for people and load balancers, `/health/ready` and `/health/alive` for an orchestrator. */
export function healthRoutes(options: HealthRoutesOptions): Hono<ControlEnvironment> {
  const { system, lifecycle, tokens, version } = options
  return new Hono<ControlEnvironment>()
    .get('/', async (context) => {
      const report = await system.checkHealth()
      const detailed = tokens.length === 0 || tokenOf(context, tokens) !== undefined
      const { phase, startedAt } = lifecycle()
      const body = {
        status: report.status,
        summary: report.summary,
        ready: phase === 'serving' && report.ready,
        phase,
        version,
        uptimeMs: Math.max(0, report.at - startedAt),
        at: report.at,
        reasons: report.reasons,
        ...(detailed ? { components: report.components, checks: report.checks } : {}),
      }
      if (wantsHealthJson(context))
        return send(context, toHealthJson(report, version), report.status === 'fail' ? 503 : 200, 'application/health+json')
      return send(context, body, report.status === 'fail' ? 503 : 200)
    })
    .get('/ready', async (context) => {
      const { phase } = lifecycle()
      if (phase !== 'serving')
        return send(context, { ready: false, reason: phase === 'draining' ? 'the server is stopping' : 'the server is starting' }, 503)
      const report = await system.checkHealth()
      if (report.ready) return send(context, { ready: true }, 200)
      const failing = Object.entries(report.checks).flatMap(([name, check]) =>
        check.critical && check.status !== 'pass' ? [`${name}: ${check.reason ?? check.status}`] : [],
      )
      return send(context, { ready: false, reason: failing.join('; ') }, 503)
    })
    .get('/alive', (context) => send(context, { alive: true, uptimeMs: Math.max(0, system.clock.wallNow() - lifecycle().startedAt) }, 200))
}

function wantsHealthJson(context: Context): boolean {
  return (context.req.header('accept') ?? '').includes('application/health+json')
}

function send(context: Context, body: object, status: 200 | 503, type = 'application/json; charset=utf-8'): Response {
  return context.body(`${JSON.stringify(body)}\n`, status, { 'content-type': type, 'cache-control': 'no-store' })
}

/** The format of draft-inadarei-api-health-check-06. */
function toHealthJson(report: HealthReport, version: string): object {
  const time = new Date(report.at).toISOString()
  const components = Object.entries(report.components).map(([name, { status, reason, kind }]) => [
    `${name}:state`.replaceAll(/[^\w:./-]/g, '_'),
    [{ componentId: name, componentType: kind, status: known(status), time, ...(reason === undefined ? {} : { output: reason }) }],
  ])
  const checks = Object.entries(report.checks).map(([name, { status, reason, tookMs }]) => [
    `${name}:responseTime`.replaceAll(/[^\w:./-]/g, '_'),
    [
      {
        componentId: name,
        componentType: 'datastore',
        status: known(status),
        time,
        ...(tookMs === null ? {} : { observedValue: tookMs, observedUnit: 'ms' }),
        ...(reason === undefined ? {} : { output: reason }),
      },
    ],
  ])
  return {
    status: known(report.status),
    version,
    checks: Object.fromEntries([...components, ...checks]),
    ...(report.reasons.length === 0 ? {} : { output: report.reasons.join('; ') }),
  }
}

/** The draft knows no `unknown`. */
function known(status: string): string {
  return status === 'unknown' ? 'warn' : status
}
