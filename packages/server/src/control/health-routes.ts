import { Hono, type Context } from 'hono'
import type { FaultTolerantSystem, HealthReport } from 'holdfast/system'
import type { EffectiveHealth } from './effective-health.ts'
import type { ControlEnvironment } from './environment.ts'

/** Where the process is in its life. */
export interface Lifecycle {
  readonly phase: 'starting' | 'serving' | 'draining'
  readonly startedAt: number
}

export interface HealthRoutesOptions {
  readonly system: FaultTolerantSystem
  readonly lifecycle: () => Lifecycle
  /** A report with what people have told the server. */
  readonly effective: (report: HealthReport) => EffectiveHealth
  /** Whether details are for all; otherwise for those with a token or a session. */
  readonly isOpen: () => boolean
  /** Whether strangers learn no more than the status. */
  readonly loginRequired: () => boolean
  readonly version: string
}

/** `/health` for people and load balancers, `/health/ready` and `/health/alive` for an orchestrator. */
export function healthRoutes(options: HealthRoutesOptions): Hono<ControlEnvironment> {
  const { system, lifecycle, version } = options
  const look = async (): Promise<EffectiveHealth> => options.effective(await system.checkHealth())
  return new Hono<ControlEnvironment>()
    .get('/', async (context) => {
      const report = await look()
      const isKnown = context.var.identity !== undefined
      const isDetailed = options.isOpen() || isKnown
      const { phase, startedAt } = lifecycle()
      const body = {
        status: report.status,
        summary: report.summary,
        ready: phase === 'serving' && report.ready,
        phase,
        version,
        uptimeMs: Math.max(0, report.at - startedAt),
        at: report.at,
        ...(isKnown || !options.loginRequired() ? { reasons: report.reasons, silenced: report.silenced } : {}),
        ...(isDetailed ? { components: report.components, checks: report.checks } : {}),
      }
      if (wantsHealthJson(context))
        return send(context, toHealthJson(report, version, isDetailed), report.status === 'fail' ? 503 : 200, 'application/health+json')
      return send(context, body, report.status === 'fail' ? 503 : 200)
    })
    .get('/ready', async (context) => {
      const { phase } = lifecycle()
      if (phase !== 'serving')
        return send(context, { ready: false, reason: phase === 'draining' ? 'the server is stopping' : 'the server is starting' }, 503)
      const report = await look()
      if (report.ready) return send(context, { ready: true }, 200)
      if (options.loginRequired() && context.var.identity === undefined) return send(context, { ready: false }, 503)
      const silenced = new Set(report.silenced.map((dependency) => `upstream/${dependency}`))
      const failing = Object.entries(report.checks).flatMap(([name, { critical, status, reason }]) =>
        critical && status !== 'pass' && !silenced.has(name) ? [`${name}: ${reason ?? status}`] : [],
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
function toHealthJson(report: HealthReport, version: string, isDetailed: boolean): object {
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
    ...(isDetailed ? { checks: Object.fromEntries([...components, ...checks]) } : {}),
    ...(report.reasons.length === 0 || !isDetailed ? {} : { output: report.reasons.join('; ') }),
  }
}

/** The draft knows no `unknown`. */
function known(status: string): string {
  return status === 'unknown' ? 'warn' : status
}
