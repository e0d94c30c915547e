import { Hono } from 'hono'
import type { FaultTolerantSystem } from 'holdfast/system'
import * as z from 'zod'
import { DatabaseError } from '../state/index.ts'
import { expiresInField, reasonField } from './body-fields.ts'
import type { ControlEnvironment } from './environment.ts'
import { forcedActions, type Actor, type ForcedAction, type ForcedStates } from './forced-states.ts'
import { problem } from './problem.ts'
import { readBody } from './read-body.ts'

export interface PolicyRoutesOptions {
  readonly system: FaultTolerantSystem
  readonly forced: ForcedStates
  /** How a policy is shown. */
  readonly view: (id: string) => object | undefined
}

const maxIds = 1_000
const actionField = z.enum(forcedActions, { error: `must be one of ${forcedActions.join(', ')}` })
const forceBody = z.strictObject({ action: actionField, reason: reasonField, expiresIn: expiresInField.optional() })
const bulkBody = z.strictObject({
  ids: z
    .array(z.string().max(500))
    .min(1, { error: 'must not be empty' })
    .max(maxIds, { error: `must hold at most ${maxIds} ids` }),
  action: actionField,
  reason: reasonField,
  expiresIn: expiresInField.optional(),
})

interface Asked extends Actor {
  readonly action: ForcedAction
  readonly reason: string
  readonly expiresInMs: number | undefined
}

interface Failure {
  readonly status: 404 | 409
  readonly code: string
  readonly message: string
}

/** `POST /api/v1/policies/:id` and `POST /api/v1/policies`: one state set by hand, or many. */
export function policyRoutes({ system, forced, view }: PolicyRoutesOptions): Hono<ControlEnvironment> {
  const force = (policy: string, asked: Asked): Failure | undefined => {
    if (!system.has(policy)) return { status: 404, code: 'not-found', message: 'there is no policy of that id' }
    if (forced.force({ policy, ...asked }) !== undefined) return undefined
    return { status: 409, code: 'conflict', message: 'only circuit breakers can be forced into a state' }
  }

  return new Hono<ControlEnvironment>()
    .post('/policies', async (context) => {
      const body = readBody(context, bulkBody)
      if (body instanceof Response) return body
      const { action, reason, expiresIn: expiresInMs } = body
      const asked = { action, reason, expiresInMs, who: context.var.identity?.name ?? '', address: context.var.origin.address }
      const done: string[] = []
      const failed: { id: string; message: string }[] = []
      for (const id of new Set(body.ids)) {
        try {
          const failure = force(id, asked)
          if (failure === undefined) done.push(id)
          else failed.push({ id, message: failure.message })
        } catch (error) {
          if (!(error instanceof DatabaseError)) throw error
          failed.push({ id, message: `not changed, because that could not be put on record: ${error.message}` })
        }
        // each of them waits for the disk; requests go on in between
        await new Promise((resolve) => {
          setImmediate(resolve)
        })
      }
      return context.json({ done, failed })
    })
    .post('/policies/:id{[^]+}', (context) => {
      const body = readBody(context, forceBody)
      if (body instanceof Response) return body
      const id = context.req.param('id')
      const { action, reason, expiresIn: expiresInMs } = body
      const actor = { who: context.var.identity?.name ?? '', address: context.var.origin.address }
      const failure = force(id, { action, reason, expiresInMs, ...actor })
      if (failure !== undefined) return context.json(problem(failure.code, failure.message), failure.status)
      return context.json(view(id) ?? {})
    })
}
