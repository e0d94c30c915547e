/** What the command answers its caller. */
export const exitCodes = {
  ok: 0,
  /** Something that was asked for could not be done: a port in use, a folder that cannot be written. */
  failed: 1,
  /** What was asked for is wrong: unknown options, a configuration with errors. */
  usage: 2,
} as const

/** A failure whose message is the whole story: one line, with the way out. */
export class CommandFailure extends Error {
  readonly exitCode: number
  /** Whether the message is a list of its own, to be printed as it is. */
  readonly listed: boolean
  constructor(message: string, exitCode: number = exitCodes.failed, listed = false) {
    super(message)
    this.exitCode = exitCode
    this.listed = listed
  }
}
