import { integerOption, invalidOption } from '../options.ts'
import { lineDestination, loggerDestination, streamDestination, type Destination, type LoggerLike, type LogStream } from './destination.ts'

/** Where lines go: one of `write`, `stream` and `logger` at most. */
export interface DestinationOptions {
  /** Takes each line as JSON text that ends in a newline. */
  readonly write?: (line: string) => unknown
  /**
   * A stream for JSON lines. Node.js writes to standard output synchronously when it is a file or, on Linux, a pipe: where its reader
   * may stall, hand in `createWriteStream('', { fd: 1 })`. @defaultValue process.stdout
   */
  readonly stream?: LogStream
  /** A logger of yours, such as one of pino; it gets the redacted fields and the message, and adds level and time itself. */
  readonly logger?: LoggerLike
  /** Bytes that may wait in the stream: beyond it lines are dropped and counted. @defaultValue 1048576 (1 MiB) */
  readonly maxBufferedBytes?: number
}

/** The one destination that the options name. */
export function chooseDestination({ write, stream, logger, maxBufferedBytes = 2 ** 20 }: DestinationOptions): Destination {
  const given = [write, stream, logger].filter((each) => each !== undefined)
  if (given.length > 1) throw invalidOption('logSink', 'write', write, 'given without stream and logger: a sink has one destination')
  const maxBytes = integerOption('logSink', 'maxBufferedBytes', maxBufferedBytes, { min: 1 })
  if (write !== undefined) {
    if (typeof write !== 'function') throw invalidOption('logSink', 'write', write, 'a function that takes a line')
    return lineDestination(write)
  }
  if (logger !== undefined) {
    for (const level of ['debug', 'info', 'warn', 'error'] as const) {
      if (typeof logger?.[level] !== 'function') throw invalidOption('logSink', 'logger', logger, `a logger with the method ${level}`)
    }
    return loggerDestination(logger)
  }
  if (stream === undefined) return standardOutput(maxBytes)
  if (typeof stream?.write !== 'function') throw invalidOption('logSink', 'stream', stream, 'a writable stream')
  return streamDestination(stream, maxBytes)
}

/** Runtimes without Node's streams have the console. */
function standardOutput(maxBytes: number): Destination {
  const stream = (globalThis as { process?: { stdout?: LogStream } }).process?.stdout
  return stream === undefined ? lineDestination((line) => console.log(line.trimEnd())) : streamDestination(stream, maxBytes)
}
