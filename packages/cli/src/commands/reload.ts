import { exitCodes } from '../exit-codes.ts'
import { printable, styled, type Output } from '../output.ts'
import { askServer, type ServerPlace } from './running-server.ts'

export interface ReloadArguments extends ServerPlace {
  readonly reason: string
}

interface ReloadLike {
  readonly generation: number
  readonly lastReload: {
    readonly ok: boolean
    readonly problems: readonly {
      readonly file: string
      readonly line: number
      readonly column: number
      readonly path: string
      readonly message: string
    }[]
    readonly changes: readonly { readonly path: string; readonly before: string | null; readonly after: string | null }[]
    readonly needsRestart: readonly string[]
  }
}

/** `holdfast reload`: tells the running server to load its configuration anew, and what came of it. */
export async function reload(args: ReloadArguments, output: Output): Promise<number> {
  const { reason, ...place } = args
  const request = { method: 'POST', path: '/api/v1/config/reload', body: { reason } } as const
  const { generation, lastReload } = (await askServer(place, request, output)) as unknown as ReloadLike
  const { ok, problems, changes, needsRestart } = lastReload
  const { stdout, stderr, env } = output
  if (!ok) {
    for (const { file, line, column, path, message } of problems) {
      const subject = path === '' ? '' : `${path}: `
      stderr.write(`${styled(stderr, env, 'red', 'error')} ${printable(`${file}:${line}:${column} ${subject}${message}`)}\n`)
    }
    stderr.write('the configuration was refused: the earlier one goes on\n')
    return exitCodes.usage
  }
  for (const { path, before, after } of changes) stdout.write(`${printable(`${path}: ${before ?? ''} → ${after ?? 'left out'}`)}\n`)
  stdout.write(changes.length === 0 ? 'nothing has changed\n' : `configuration ${generation} is in force\n`)
  if (needsRestart.length > 0)
    stderr.write(`${styled(stderr, env, 'yellow', 'warning')} changed, and needs a restart: ${printable(needsRestart.join(', '))}\n`)
  return exitCodes.ok
}
