import type { HttpBindings } from '@hono/node-server'

/** What node:http hands to the control routes. */
export interface ControlEnvironment {
  Bindings: HttpBindings
}
