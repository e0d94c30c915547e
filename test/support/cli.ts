import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const entry = fileURLToPath(new URL('./cli-entry.ts', import.meta.url))
const root = fileURLToPath(new URL('../..', import.meta.url))

const { NO_COLOR: _noColor, FORCE_COLOR: _forceColor, ...plainEnvironment } = process.env

/** How a command ended. */
export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunningCommand {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  /** Resolves when the text has appeared on standard error or output. */
  says(text: string): Promise<string>
}

/** Starts the command line from its source, as a process of its own. */
export function startCommand(args: readonly string[], env: NodeJS.ProcessEnv = {}): RunningCommand {
  const child = spawn(process.execPath, ['--conditions=@holdfast/source', '--import', 'tsx', entry, ...args], {
    cwd: root,
    env: { ...plainEnvironment, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  const looks: (() => void)[] = []
  const look = (): void => {
    for (const each of looks) each()
  }
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
    look()
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
    look()
  })
  const ended = new Promise<Ended>((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })))
  return {
    child,
    ended,
    says: (text) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if ((stderr + stdout).includes(text)) resolve(stderr + stdout)
        }
        looks.push(check)
        check()
        void ended.then(() => reject(new Error(`it ended without saying '${text}': ${stderr}${stdout}`)))
      }),
  }
}

export function runCommand(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Ended> {
  return startCommand(args, env).ended
}
