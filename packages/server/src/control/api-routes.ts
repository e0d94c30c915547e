import { Hono } from 'hono'
import { parseDuration } from 'holdfast'
import type { FaultTolerantSystem } from 'holdfast/system'
import * as z from 'zod'
import { problem, refuseChange, tokenOf, type Token } from './authority.ts'
import type { ControlEnvironment } from './environment.ts'
import type { EventLog } from './event-log.ts'
import { forcedActions, type ForcedStates } from './forced-states.ts'

export interface ApiRoutesOptions {
  readonly system: FaultTolerantSystem
  readonly events: EventLog
  readonly forced: ForcedStates
  readonly tokens: readonly Token[]
  readonly upstreams: () => unknown
  /** A change was made: it is told to everybody who listens. */
  readonly onChange: (change: {
    readonly policy: string
    readonly action: string
    readonly by: string
    readonly reason: string
    readonly expiresAt: number | null
  }) => void
}

const longestExpiryMs = 7 * 86_400_000

const forceBody = z.strictObject({
  action: z.enum(forcedActions),
  reason: z.string().trim().min(1).max(500),
  expiresIn: z
    .string()
    .transform((text, context) => {
      const ms = parseDuration(text)
      if (ms !== undefined && ms >= 1_000 && ms <= longestExpiryMs) return ms
      context.addIssue({ code: 'custom', message: "must be a duration from '1s' to '7d', such as '15m'" })
      return z.NEVER
    })
    .optional(),
})

/** `/api/v1`: policies and events, and the few things a person may change. */
export function apiRoutes(options: ApiRoutesOptions): Hono<ControlEnvironment> {
  const { system, events, forced, tokens } = options
  return new Hono<ControlEnvironment>()
    .use(async (context, next) => {
      context.header('cache-control', 'no-store')
      await next()
    })
    .get('/policies', (context) => context.json({ policies: policyList(system, forced) }))
    .get('/policies/:name{.+}', (context) => {
      const name = context.req.param('name')
      if (!system.has(name)) return context.json(problem('not-found', 'there is no policy of that name'), 404)
      const policy = system.get(name)
      return context.json({
        ...policyView(system, name, forced),
        settings: policy.describe(),
        events: events.after(0).filter((event) => event.policy === name),
      })
    })
    .post('/policies/:name{.+}', async (context) => {
      const refused = refuseChange(context, tokens)
      if (refused !== undefined) return refused
      if (!/^application\/json\b/i.test(context.req.header('content-type') ?? ''))
        return context.json(problem('unsupported-media-type', 'the body must be application/json'), 415)
      const body = forceBody.safeParse(await context.req.json().catch(() => undefined))
      if (!body.success) return context.json(problem('bad-request', z.prettifyError(body.error)), 400)
      const name = context.req.param('name')
      if (!system.has(name)) return context.json(problem('not-found', 'there is no policy of that name'), 404)
      const by = tokenOf(context, tokens)?.name ?? 'unknown'
      const { action, reason, expiresIn } = body.data
      const state = forced.force({ policy: name, action, reason, by, expiresInMs: expiresIn })
      if (state === undefined) return context.json(problem('conflict', 'only circuit breakers can be forced into a state'), 409)
      options.onChange({ policy: name, action, by, reason, expiresAt: state.expiresAt })
      return context.json(policyView(system, name, forced))
    })
    .get('/upstreams', (context) => context.json({ upstreams: options.upstreams() }))
    .get('/events', (context) => {
      const after = Number(context.req.query('after') ?? 0)
      const limit = Number(context.req.query('limit') ?? 200)
      if (!Number.isSafeInteger(after) || after < 0 || !Number.isSafeInteger(limit) || limit < 1 || limit > 1_000) {
        return context.json(problem('bad-request', "'after' must be a whole number from 0, 'limit' one from 1 to 1000"), 400)
      }
      return context.json({ events: events.after(after, limit), lastId: events.lastId })
    })
    .all('*', (context) => context.json(problem('not-found', 'there is nothing at this path'), 404))
}

/** One row per policy, as the page and the API show it. */
export function policyList(system: FaultTolerantSystem, forced: ForcedStates): readonly object[] {
  return [...system.policies().keys()].map((name) => policyView(system, name, forced))
}

function policyView(system: FaultTolerantSystem, name: string, forced: ForcedStates): object {
  const policy = system.get(name)
  const status = policy.kind === 'pipeline' ? { kind: policy.kind, name } : policy.status()
  return { name, kind: policy.kind, health: policy.health(), status, forced: forced.get(name) ?? null }
}
