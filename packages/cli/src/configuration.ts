import { formatProblem, loadConfig, type LoadedConfig } from '@holdfast/server'
import { CommandFailure, exitCodes } from './exit-codes.ts'
import { styled, type Output } from './output.ts'

export const defaultConfigPath = 'config/reliability.yml'

/**
 * Loads a configuration; warnings go to standard error.
 * @throws CommandFailure with every error, a line each.
 */
export function readConfiguration(path: string, output: Output): LoadedConfig {
  const { stderr, env } = output
  const loaded = loadConfig(path, { env })
  if (!loaded.ok) {
    const lines = loaded.errors.map((problem) => `${styled(stderr, env, 'red', 'error')} ${formatProblem(problem)}`)
    throw new CommandFailure(lines.join('\n'), exitCodes.usage, true)
  }
  for (const warning of loaded.warnings) stderr.write(`${styled(stderr, env, 'yellow', 'warning')} ${formatProblem(warning)}\n`)
  return loaded
}
