// Runs npm: the very one that started this tool when there is one, so that its version and settings stay the same.
import { runCommand } from './run-command.mjs'

/**
 * @param {readonly string[]} args
 * @param {{ cwd: string, onLine?: import('./run-command.mjs').LineListener }} options
 */
export function runNpm(args, options) {
  const running = process.env.npm_execpath
  if (running !== undefined && /npm-cli\.[cm]?js$/.test(running)) {
    return runCommand(process.execPath, [running, ...args], { ...options, output: 'collect' })
  }
  return runCommand('npm', args, { ...options, output: 'collect' })
}
