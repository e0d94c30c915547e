import { exitCodes } from '../exit-codes.ts'
import { printable, type Output } from '../output.ts'
import { askServer, type ServerPlace } from './running-server.ts'

export interface ForceArguments extends ServerPlace {
  readonly reason: string
  readonly for?: string
}

/** `holdfast force <policy> <action>`: sets the state of a circuit breaker by hand. */
export async function force(policy: string, action: string, args: ForceArguments, output: Output): Promise<number> {
  const { reason, for: expiresIn } = args
  const path = `/api/v1/policies/${encodeURIComponent(policy)}`
  const body = { action, reason, ...(expiresIn === undefined ? {} : { expiresIn }) }
  const view = (await askServer(args, { method: 'POST', path, body }, output)) as {
    readonly state?: unknown
    readonly forced?: ForcedLike | null
  }
  const until =
    view.forced?.expiresAt === undefined || view.forced.expiresAt === null ? '' : ` until ${new Date(view.forced.expiresAt).toISOString()}`
  output.stdout.write(`${printable(policy)} is ${printable(String(view.state))}${until}\n`)
  return exitCodes.ok
}

interface ForcedLike {
  readonly expiresAt: number | null
}
