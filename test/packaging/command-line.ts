import { program } from '../../packages/cli/src/program.ts'

/**
 * The command that the real parser of the command line sees in these arguments, without running it.
 * @throws CommanderError when it would refuse them.
 */
export async function commandIn(args: readonly string[]): Promise<string | undefined> {
  let seen: string | undefined
  const holdfast = program({ stdout: process.stdout, stderr: process.stderr, env: {} })
  for (const command of holdfast.commands) command.action(() => void (seen = command.name()))
  await holdfast.parseAsync(args, { from: 'user' })
  return seen
}
