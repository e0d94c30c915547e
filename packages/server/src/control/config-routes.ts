import { Hono } from 'hono'
import * as z from 'zod'
import type { ConfigView, SettingView } from '../wire.ts'
import { reasonField } from './body-fields.ts'
import type { ControlEnvironment } from './environment.ts'
import { problem } from './problem.ts'
import { readBody } from './read-body.ts'

export interface ConfigRoutesOptions {
  readonly config: () => ConfigView
  /** All settings in force, with where each comes from. */
  readonly settings: () => readonly (SettingView & { readonly path: string })[]
  /** Loads the configuration anew; absent when it is no file. Resolves whatever came of it: that is in the view. */
  readonly reload: (() => Promise<ConfigView>) | undefined
}

const reloadBody = z.strictObject({ reason: reasonField })

/** `/api/v1/config`: the configuration in force, and loading it anew. */
export function configRoutes({ config, settings, reload }: ConfigRoutesOptions): Hono<ControlEnvironment> {
  return new Hono<ControlEnvironment>()
    .get('/config', (context) => context.json(config()))
    .get('/config/settings', (context) => context.json({ settings: settings() }))
    .post('/config/reload', async (context) => {
      const body = readBody(context, reloadBody)
      if (body instanceof Response) return body
      if (reload === undefined)
        return context.json(problem('conflict', 'this configuration does not come from a file: it cannot be loaded anew'), 409)
      const { generation } = config()
      context.var.record({ action: 'config.reload', subject: 'configuration', before: { generation }, reason: body.reason })
      const view = await reload()
      return context.json(view)
    })
}
