import { randomUUID } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { Hono } from 'hono'
import type { FaultTolerantSystem } from 'holdfast/system'
import { trackConnections } from '../gateway/graceful-close.ts'
import { apiRoutes, policyList } from './api-routes.ts'
import { problem, type Token } from './authority.ts'
import type { ControlEnvironment } from './environment.ts'
import { EventLog } from './event-log.ts'
import { ForcedStates } from './forced-states.ts'
import { healthRoutes, type Lifecycle } from './health-routes.ts'
import { hostGuard, securityHeaders } from './host-guard.ts'
import { LiveFeed } from './live.ts'
import { pageRoutes } from './page-routes.ts'

export interface ControlOptions {
  readonly system: FaultTolerantSystem
  readonly tokens: readonly Token[]
  readonly allowedHosts: readonly string[]
  readonly lifecycle: () => Lifecycle
  readonly version: string
  readonly metrics: (accept: string | undefined) => Promise<{ readonly contentType: string; readonly body: string }>
  readonly upstreams: () => unknown
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
  readonly events: EventLog
  /** Ends live feeds and forced states; the server is closed by its owner. */
  dispose(): void
}

export async function createControl(options: ControlOptions): Promise<Control> {
  const { system, tokens } = options
  const events = new EventLog()
  const forced = new ForcedStates(system)
  const endEvents = system.on((event) => void events.add(event))
  const feed = new LiveFeed({
    events,
    run: randomUUID(),
    read: () => ({
      policies: policyList(system, forced),
      upstreams: options.upstreams(),
      health: healthSummary(system),
      ...options.sections?.(),
    }),
  })
  const app = new Hono<ControlEnvironment>()
    .use(securityHeaders)
    .use(hostGuard(options.allowedHosts))
    .route('/health', healthRoutes({ system, tokens, lifecycle: options.lifecycle, version: options.version }))
    .get('/metrics', async (context) => {
      const { contentType, body } = await options.metrics(context.req.header('accept'))
      return context.body(body, 200, { 'content-type': contentType, 'cache-control': 'no-store' })
    })
    .get('/events', (context) => {
      if (feed.add(context.env.outgoing, context.req.header('last-event-id'))) return RESPONSE_ALREADY_SENT
      return context.json(problem('too-many-viewers', 'too many viewers are connected'), 503)
    })
  if (options.routes !== undefined) app.route('/api/v1', options.routes)
  app.route(
    '/api/v1',
    apiRoutes({
      system,
      events,
      forced,
      tokens,
      upstreams: options.upstreams,
      onChange: ({ policy, ...change }) => events.add({ type: 'control.changed', policy, at: system.clock.wallNow(), ...change }),
    }),
  )
  app.route('/', await pageRoutes(options.pageDirectory))
  app.notFound((context) => context.json(problem('not-found', 'there is nothing at this path'), 404))
  app.onError((_error, context) => context.json(problem('internal', 'the request could not be answered'), 500))
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false })
  const server = createServer(
    { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 1_000 },
    (request, response) => {
      void listener(request, response)
    },
  )
  server.maxConnections = 2_000
  trackConnections(server)
  return {
    server,
    events,
    dispose: () => {
      endEvents()
      feed.close()
      forced.dispose()
    },
  }
}

/** The health without its clock reading, so that it is sent only when it changes. */
function healthSummary(system: FaultTolerantSystem): object {
  const { status, summary, ready, reasons } = system.health()
  return { status, summary, ready, reasons }
}
