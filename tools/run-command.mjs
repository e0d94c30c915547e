// Starts a program, shows or collects what it prints, and takes it down when the tool itself is told to end.
import { spawn } from 'node:child_process'
import { Failure, Interrupted } from './failure.mjs'

/** @typedef {(line: string, stop: () => void) => void} LineListener `stop` asks the program to end. */

/** @type {readonly NodeJS.Signals[]} */
const endings = ['SIGINT', 'SIGTERM', 'SIGHUP']

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {object} [options]
 * @param {string} [options.cwd]
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {'show' | 'collect'} [options.output] `show` (the default) hands on this terminal; `collect` returns the text.
 * @param {LineListener} [options.onLine] Called for every line collected, as it arrives.
 * @returns {Promise<{ code: number, output: string }>}
 * @throws {Failure} when the program cannot be started. @throws {Interrupted} when a signal ended this tool meanwhile.
 */
export async function runCommand(command, args, { cwd, env, output = 'show', onLine } = {}) {
  const shown = output === 'show'
  const child = spawn(command, args, { cwd, env, stdio: shown ? ['inherit', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'] })
  const collected = collectLines(child, onLine)
  /** @type {NodeJS.Signals | undefined} */
  let interruptedBy
  /** @param {NodeJS.Signals} signal */
  const onSignal = (signal) => {
    interruptedBy = signal
    const terminalDeliveredIt = signal === 'SIGINT' && process.stdin.isTTY
    if (!terminalDeliveredIt) child.kill(signal)
  }
  for (const signal of endings) process.on(signal, onSignal)
  try {
    const code = await ended(child, command)
    if (interruptedBy) throw new Interrupted(interruptedBy)
    return { code, output: collected.join('\n') }
  } finally {
    for (const signal of endings) process.off(signal, onSignal)
  }
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {string} command
 * @returns {Promise<number>}
 */
function ended(child, command) {
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new Failure(`Could not start ${command}: ${error.message}`)))
    child.on('close', (code) => resolve(code ?? 1))
  })
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {LineListener | undefined} onLine
 */
function collectLines(child, onLine) {
  /** @type {string[]} */
  const lines = []
  for (const stream of [child.stdout, child.stderr]) {
    let rest = ''
    /** @param {string} line */
    const add = (line) => {
      lines.push(line)
      onLine?.(line, () => child.kill())
    }
    stream?.setEncoding('utf8')
    stream?.on('data', (text) => {
      const parts = (rest + text).split(/\r?\n/)
      rest = parts.pop() ?? ''
      parts.forEach(add)
    })
    stream?.on('end', () => {
      if (rest) add(rest)
    })
  }
  return lines
}
