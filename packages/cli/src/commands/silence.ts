import { CommandFailure, exitCodes } from '../exit-codes.ts'
import { printable, type Output } from '../output.ts'
import { askServer, type ServerPlace } from './running-server.ts'

export interface SilenceArguments extends ServerPlace {
  readonly for?: string
  readonly reason?: string
  readonly end: boolean
}

/** `holdfast silence <dependency>`: a dependency that nobody is to worry about for a while. */
export async function silence(dependency: string, args: SilenceArguments, output: Output): Promise<number> {
  const path = `/api/v1/dependencies/${encodeURIComponent(dependency)}/silence`
  if (args.end) {
    if (args.for !== undefined) throw new CommandFailure('--end and --for exclude each other', exitCodes.usage)
    await askServer(args, { method: 'DELETE', path }, output)
    output.stdout.write(`${printable(dependency)} is no longer silenced\n`)
    return exitCodes.ok
  }
  const { for: expiresIn, reason } = args
  if (expiresIn === undefined || reason === undefined)
    throw new CommandFailure(
      `a silence needs its time and its reason: holdfast silence ${printable(dependency)} --for 1h --reason 'maintenance'`,
      exitCodes.usage,
    )
  const answer = await askServer(args, { method: 'POST', path, body: { reason, expiresIn } }, output)
  const { expiresAt } = answer['silence'] as { readonly expiresAt: number }
  output.stdout.write(`${printable(dependency)} is silenced until ${new Date(expiresAt).toISOString()}\n`)
  return exitCodes.ok
}
