import { Hono } from 'hono'
import { problem } from './problem.ts'
import type { ControlEnvironment } from './environment.ts'
import { liveState, policyDetail, type ViewSource } from './views/index.ts'

/** `GET /api/v1/dependencies` and `/api/v1/policies`: what is. */
export function viewRoutes(source: ViewSource): Hono<ControlEnvironment> {
  return new Hono<ControlEnvironment>()
    .get('/dependencies', (context) => context.json({ dependencies: Object.values(liveState(source).dependencies) }))
    .get('/policies', (context) => context.json({ policies: Object.values(liveState(source).policies) }))
    .get('/policies/:id{[^]+}', (context) => {
      const detail = policyDetail(source, context.req.param('id'))
      if (detail === undefined) return context.json(problem('not-found', 'there is no policy of that name'), 404)
      return context.json(detail)
    })
}
