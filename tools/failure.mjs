// How a tool ends: an expected failure is a line for the person at the terminal, an interruption keeps its signal's exit code.
import { constants } from 'node:os'
import { endWithParent } from './end-with-parent.mjs'

/** Something the person can act on: shown without a stack. */
export class Failure extends Error {}

/** A signal ended the tool while a command ran. */
export class Interrupted extends Error {
  /** @param {NodeJS.Signals} signal */
  constructor(signal) {
    super(`interrupted by ${signal}`)
    this.exitCode = 128 + (constants.signals[signal] ?? 0)
  }
}

/**
 * Runs a tool and sets the exit code: the number it returns, 1 for a failure, 128 + n for a signal.
 * @param {() => Promise<number | void>} tool
 */
export async function runTool(tool) {
  endWithParent()
  try {
    const code = await tool()
    if (typeof code === 'number') process.exitCode = code
  } catch (error) {
    process.exitCode = error instanceof Interrupted ? error.exitCode : 1
    console.error(error instanceof Failure || error instanceof Interrupted ? `\n${error.message}` : error)
  }
}
