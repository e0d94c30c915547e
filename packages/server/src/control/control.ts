import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { Hono } from 'hono'
import type { MetricsRegistry, PolicyEvent } from 'holdfast'
import type { FaultTolerantSystem } from 'holdfast/system'
import { AuditLog, type AuditEntry } from '../audit/index.ts'
import { isLoginRequired, type ControlSettings } from '../config/index.ts'
import { trackConnections } from '../gateway/graceful-close.ts'
import type { History } from '../history/index.ts'
import { DatabaseError, type SetAside } from '../state/index.ts'
import type { AuditView, ConfigView, ForcedView, SettingView } from '../wire.ts'
import { guard } from './access.ts'
import { auditRoutes } from './audit-routes.ts'
import { exposeControl } from './control-metrics.ts'
import { effectiveHealth, type HealthView } from './effective-health.ts'
import type { ControlEnvironment } from './environment.ts'
import { FailedLogins } from './failed-logins.ts'
import { configRoutes } from './config-routes.ts'
import { forcedActions, ForcedStates } from './forced-states.ts'
import { healthRoutes, type Lifecycle } from './health-routes.ts'
import { historyRoutes } from './history-routes.ts'
import { LiveFeed } from './live.ts'
import { noteRoutes } from './note-routes.ts'
import { pageRoutes } from './page-routes.ts'
import { policyRoutes } from './policy-routes.ts'
import { problem } from './problem.ts'
import { limitBody } from './request-body.ts'
import { answerMalformed, KnownHosts, refuse, vetRequest } from './request-rules.ts'
import { setSecurityHeaders } from './security-headers.ts'
import { sessionRoutes } from './session-routes.ts'
import { Sessions } from './sessions.ts'
import { silenceRoutes } from './silence-routes.ts'
import { Silences } from './silences.ts'
import { Tokens, type Token } from './tokens.ts'
import { viewRoutes } from './view-routes.ts'
import { WatchedFeeds } from './watched-feeds.ts'
import { liveState, policyView, type ViewSource } from './views/index.ts'

export interface ControlOptions {
  readonly system: FaultTolerantSystem
  readonly tokens: readonly Token[]
  readonly settings: ControlSettings
  /** How long audit records are kept, in ms. @defaultValue for ever */
  readonly auditMaxAgeMs?: number | undefined
  /** Folder of the audit log. */
  readonly dataDir: string
  readonly isTrustedProxy?: ((address: string) => boolean) | undefined
  readonly registry: MetricsRegistry
  /** Told of every audit record, once it is on the disk. */
  readonly onAudit?: (record: AuditView) => void
  /** Told of what goes wrong beside the requests: an audit record that could not be written, a damaged file that was set aside. */
  readonly onTrouble?: (message: string, error?: unknown) => void
  readonly lifecycle: () => Lifecycle
  readonly version: string
  readonly metrics: (accept: string | undefined) => Promise<{ readonly contentType: string; readonly body: string }>
  readonly history: History
  readonly gatewayUrl: () => string
  /** Requests under way in the gateway. */
  readonly inFlight: () => number
  /** Base URL of a dependency. */
  readonly urlOf: (dependency: string) => string
  readonly config: () => ConfigView
  /** All settings in force, by path. */
  readonly settingsInForce: () => readonly (SettingView & { readonly path: string })[]
  /** Loads the configuration anew; absent when it is no file. */
  readonly reload?: () => Promise<ConfigView>
  /** The settings of a policy that are in force, with where each comes from. */
  readonly settingsOf: (policy: string) => readonly SettingView[]
  /** The feed could not read the state. */
  readonly onFeedError?: (error: unknown) => void
  /** Folder of the page. */
  readonly pageDirectory: string
  /** Further sections of the live state. */
  readonly sections?: () => Readonly<Record<string, unknown>>
  /** Further routes under `/api/v1`. */
  readonly routes?: Hono<ControlEnvironment>
}

/** The control listener: health, metrics, API, live events, page. */
export interface Control {
  readonly server: Server
  /** The state that somebody set a policy to. */
  forced(policy: string): ForcedView | null
  /** Puts something on record that did not come through the API: a reload by signal, say. */
  record(entry: AuditEntry): AuditView
  /** To be called after policies and dependencies have come or gone: forced states and silences go on with those of the same name. */
  policiesChanged(): void
  /** After a reload: tokens that are no more end their sessions. */
  reconfigure(settings: ControlSettings, tokens: readonly Token[]): void
  /** Ends live feeds and timers, and closes the audit log; the server is closed by its owner. */
  dispose(): void
}

export async function createControl(options: ControlOptions): Promise<Control> {
  const { system, history } = options
  let { settings } = options
  const tokens = new Tokens(options.tokens)
  const hosts = new KnownHosts([...settings.allowedHosts, settings.host])
  const trouble = (message: string, error?: unknown): void => options.onTrouble?.(message, error)
  const audit = new AuditLog(join(options.dataDir, 'audit.db'), {
    wallNow: () => system.clock.wallNow(),
    onSetAside: (file: SetAside) => trouble(`${file.path} ${file.reason}: it was moved to ${file.movedTo}, and a new one was begun`),
    ...(options.onAudit === undefined ? {} : { onRecord: options.onAudit }),
  })
  const onUnrecorded = (error: unknown): void => trouble('an audit record could not be written', error)
  const emit = (event: PolicyEvent): void => void history.addEvent(event)
  const forced = new ForcedStates({ system, audit, emit, onUnrecorded })
  const silences = new Silences({ clock: system.clock, audit, dependencies: () => history.names(), emit, onUnrecorded })
  const sessions = new Sessions({
    clock: system.clock,
    tokens,
    maxAgeMs: settings.sessions.maxAge,
    idleTimeoutMs: settings.sessions.idleTimeout,
    max: settings.sessions.max,
  })
  const failedLogins = new FailedLogins({
    clock: system.clock,
    limit: settings.failedLogins.limit,
    windowMs: settings.failedLogins.window,
    onFailure: ({ address, how }) => {
      try {
        audit.append({ who: 'nobody', address, action: 'session.refused', subject: 'session', after: { how } })
      } catch (error) {
        onUnrecorded(error)
      }
    },
  })
  const secure = settings.tls !== undefined
  const loginRequired = (): boolean => isLoginRequired(settings, tokens.count > 0)
  const access = { tokens, sessions, failedLogins, audit, loginRequired, secure, isTrustedProxy: options.isTrustedProxy, onUnrecorded }
  const healthView: HealthView = {
    forced: (policy) => forced.get(policy),
    isSilenced: (dependency) => silences.has(dependency),
    dependencies: () => new Map(history.names().map((name) => [name, history.policiesOf(name)])),
  }
  const feeds = new WatchedFeeds(system.clock, (identity) => !loginRequired() || identity?.stillHolds() === true)
  exposeControl(options.registry, { forced, silences, sessions, failedLogins })
  const pruning = keepPruned(audit, options.auditMaxAgeMs, onUnrecorded)
  const source: ViewSource = {
    system,
    history,
    version: options.version,
    lifecycle: options.lifecycle,
    gatewayUrl: options.gatewayUrl,
    inFlight: options.inFlight,
    urlOf: options.urlOf,
    health: () => effectiveHealth(system.health(), healthView),
    forced: (policy) => forced.get(policy) ?? null,
    silence: (dependency) => silences.get(dependency) ?? null,
    actionsOf: (kind) => (kind === 'circuit-breaker' ? forcedActions : []),
    config: options.config,
    settingsOf: options.settingsOf,
    demo: () => options.sections?.()['demo'],
  }
  const feed = new LiveFeed({
    history,
    clock: system.clock,
    read: () => liveState(source),
    ...(options.onFeedError === undefined ? {} : { onError: options.onFeedError }),
  })
  const app = new Hono<ControlEnvironment>()
    .use(guard(access))
    .use(limitBody(settings.maxBodyBytes))
    .route(
      '/health',
      healthRoutes({
        system,
        effective: (report) => effectiveHealth(report, healthView),
        isOpen: () => tokens.count === 0,
        loginRequired,
        lifecycle: options.lifecycle,
        version: options.version,
      }),
    )
    .get('/metrics', async (context) => {
      const { contentType, body } = await options.metrics(context.req.header('accept'))
      return context.body(body, 200, { 'content-type': contentType, 'cache-control': 'no-store' })
    })
    .get('/events', (context) => {
      if (context.req.method === 'HEAD') return context.body(null, 405, { allow: 'GET' })
      if (feed.add(context.env.outgoing, context.req.header('last-event-id'))) {
        feeds.add(context.env.outgoing, context.var.identity)
        return RESPONSE_ALREADY_SENT
      }
      return context.json(problem('too-many-viewers', 'too many viewers are connected'), 503)
    })
  app.use('/api/*', async (context, next) => {
    await next()
    context.header('cache-control', 'no-store')
  })
  app.route('/api/v1/session', sessionRoutes({ ...access, onEnded: () => feeds.look() }))
  if (options.routes !== undefined) app.route('/api/v1', options.routes)
  const addNote = (text: string, by: string): void => {
    const { at } = history.addMarker('note', text)
    const byWhom = { by, text }
    history.addEvent({ type: 'control.noted', policy: 'notes', at, ...byWhom })
  }
  const hasDependency = (name: string): boolean => history.recorder(name) !== undefined
  app
    .route('/api/v1', historyRoutes(history))
    .route('/api/v1', viewRoutes(source))
    .route('/api/v1', noteRoutes({ addNote }))
    .route('/api/v1', configRoutes({ config: options.config, settings: options.settingsInForce, reload: options.reload }))
    .route('/api/v1', policyRoutes({ system, forced, view: (id) => policyView(source, id, source.health()) }))
    .route('/api/v1', silenceRoutes({ silences, hasDependency }))
    .route(
      '/api/v1',
      auditRoutes(audit, () => system.clock.now()),
    )
  app.route('/', await pageRoutes(options.pageDirectory))
  app.notFound((context) => context.json(problem('not-found', 'there is nothing at this path'), 404))
  app.onError((error, context) => {
    if (error instanceof DatabaseError) {
      trouble('a request could not be put on record', error)
      const message = `nothing was changed, because it could not be put on record: ${error.message}`
      return context.json(problem('not-recorded', message), 503)
    }
    trouble('a request could not be answered', error)
    return context.json(problem('internal', 'the request could not be answered'), 500)
  })
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false })
  const server = createServer(
    { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 1_000 },
    (request: IncomingMessage, response: ServerResponse) => {
      setSecurityHeaders(response, secure)
      const refusal = vetRequest(request, hosts)
      if (refusal === undefined) void listener(request, response)
      else refuse(response, refusal)
    },
  )
  answerMalformed(server)
  server.maxConnections = 2_000
  trackConnections(server)
  return {
    server,
    forced: source.forced,
    record: (entry) => audit.append(entry),
    policiesChanged: () => {
      forced.policiesChanged()
      silences.dependenciesChanged()
    },
    reconfigure: (next, nextTokens) => {
      settings = next
      tokens.set(nextTokens)
      hosts.set([...next.allowedHosts, next.host])
      feeds.look()
    },
    dispose: () => {
      feeds.dispose()
      feed.close()
      forced.dispose()
      silences.dispose()
      clearInterval(pruning)
      audit.close()
    },
  }
}

const pruneEveryMs = 3_600_000

function keepPruned(audit: AuditLog, maxAgeMs: number | undefined, onUnrecorded: (error: unknown) => void): NodeJS.Timeout | undefined {
  if (maxAgeMs === undefined) return undefined
  const prune = (): void => {
    try {
      audit.prune(Date.now() - maxAgeMs)
    } catch (error) {
      onUnrecorded(error)
    }
  }
  prune()
  return setInterval(prune, pruneEveryMs).unref()
}
