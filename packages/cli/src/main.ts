import { CommanderError } from 'commander'
import { CommandFailure, exitCodes } from './exit-codes.ts'
import { styled, type Output } from './output.ts'
import { parserExitCode, program } from './program.ts'

/** Runs the command line; sets the exit code of the process. */
export async function main(
  args: readonly string[],
  output: Output = { stdout: process.stdout, stderr: process.stderr, env: process.env },
): Promise<void> {
  const holdfast = program(output)
  try {
    if (args.length === 0) {
      holdfast.outputHelp()
      return
    }
    await holdfast.parseAsync(args, { from: 'user' })
  } catch (error) {
    process.exitCode = report(error, output)
  }
}

/** Says what went wrong, without a stack: one line, or the parser's own words. */
function report(error: unknown, { stderr, env }: Output): number {
  if (error instanceof CommanderError) return parserExitCode(error.code)
  const message = error instanceof Error ? error.message : String(error)
  stderr.write(error instanceof CommandFailure && error.listed ? `${message}\n` : `${styled(stderr, env, 'red', 'holdfast:')} ${message}\n`)
  if (env['HOLDFAST_DEBUG'] !== undefined && error instanceof Error) stderr.write(`${error.stack ?? ''}\n`)
  return error instanceof CommandFailure ? error.exitCode : exitCodes.failed
}
