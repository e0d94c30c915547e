import type { PlainValue } from './fields.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** The numbers pino gives the levels. */
export const levelNumbers: Readonly<Record<LogLevel | 'silent', number>> = { debug: 20, info: 30, warn: 40, error: 50, silent: Infinity }

/** A logger as pino, winston and console offer it (with the object first). */
export interface LoggerLike {
  debug(fields: object, message: string): unknown
  info(fields: object, message: string): unknown
  warn(fields: object, message: string): unknown
  error(fields: object, message: string): unknown
}

/** The parts of a Node.js stream that are used. */
export interface LogStream {
  write(text: string): unknown
  /** Bytes that wait to be written. */
  readonly writableLength?: number
  on?(event: 'error', listener: () => void): unknown
}

/** One line before it is text: what was redacted, and when it happened. */
export interface PlainLine {
  readonly level: LogLevel
  /** Epoch ms. */
  readonly time: number
  readonly fields: Readonly<Record<string, PlainValue>>
  readonly message: string
}

/** Takes lines. May throw, or answer with a promise of the end. `isFull`: it takes no more for now. */
export interface Destination {
  readonly isFull: boolean
  take(line: PlainLine): unknown
}

/** JSON lines as pino writes them, one call each. */
export function lineDestination(write: (line: string) => unknown): Destination {
  return { isFull: false, take: (line) => write(jsonLine(line)) }
}

/** JSON lines to a stream, as long as not too much waits in it. */
export function streamDestination(stream: LogStream, maxBufferedBytes: number): Destination {
  outliveErrors(stream)
  return {
    get isFull(): boolean {
      return (stream.writableLength ?? 0) >= maxBufferedBytes
    },
    take: (line): void => {
      stream.write(jsonLine(line))
    },
  }
}

export function loggerDestination(logger: LoggerLike): Destination {
  return { isFull: false, take: ({ level, fields, message }) => logger[level](fields, message) }
}

function jsonLine({ level, time, fields, message }: PlainLine): string {
  return `${JSON.stringify({ level: levelNumbers[level], time, ...fields, msg: message })}\n`
}

const outliving = new WeakSet<LogStream>()

/** Without a listener for it, a stream's error (the reader of a pipe has left) would end the process. */
function outliveErrors(stream: LogStream): void {
  if (outliving.has(stream)) return
  outliving.add(stream)
  stream.on?.('error', () => undefined)
}
