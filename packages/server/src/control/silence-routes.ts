import { Hono, type Context } from 'hono'
import * as z from 'zod'
import { expiresInField, reasonField } from './body-fields.ts'
import type { ControlEnvironment } from './environment.ts'
import type { Actor } from './forced-states.ts'
import { problem } from './problem.ts'
import { readBody } from './read-body.ts'
import type { Silences } from './silences.ts'

const silenceBody = z.strictObject({ reason: reasonField, expiresIn: expiresInField })

export interface SilenceRoutesOptions {
  readonly silences: Silences
  readonly hasDependency: (name: string) => boolean
}

/** `/api/v1/dependencies/:name/silence`: a dependency that nobody is to worry about for a while. */
export function silenceRoutes({ silences, hasDependency }: SilenceRoutesOptions): Hono<ControlEnvironment> {
  return new Hono<ControlEnvironment>()
    .post('/dependencies/:name/silence', (context) => {
      const body = readBody(context, silenceBody)
      if (body instanceof Response) return body
      const dependency = context.req.param('name')
      if (!hasDependency(dependency)) return context.json(noDependency, 404)
      const { reason, expiresIn: expiresInMs } = body
      return context.json({ silence: silences.begin({ dependency, reason, expiresInMs, ...actorOf(context) }) })
    })
    .delete('/dependencies/:name/silence', (context) => {
      const dependency = context.req.param('name')
      if (!hasDependency(dependency)) return context.json(noDependency, 404)
      if (!silences.end(dependency, actorOf(context))) return context.json(problem('conflict', 'this dependency is not silenced'), 409)
      return context.json({ silence: null })
    })
}

const noDependency = problem('not-found', 'there is no dependency of that name')

function actorOf({ var: { identity, origin } }: Context<ControlEnvironment>): Actor {
  return { who: identity?.name ?? '', address: origin.address }
}
