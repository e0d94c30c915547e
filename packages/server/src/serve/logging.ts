import { logEvents, logSink, type LogSink } from 'holdfast'
import type { FaultTolerantSystem } from 'holdfast/system'
import type { LogLevel } from '../config/index.ts'

/** Takes log lines, JSON texts that end in a newline. */
export interface LogOutput {
  write(line: string): unknown
}

/** The log of a server: every event of its policies, and what the server itself has to say. */
export interface ServerLog {
  readonly sink: LogSink
  end(): void
}

export function startLogging(system: FaultTolerantSystem, level: LogLevel, output: LogOutput | undefined): ServerLog {
  const sink = logSink({
    level,
    fields: { service: 'holdfast', pid: process.pid },
    clock: system.clock,
    ...(output === undefined ? {} : { write: (line: string) => output.write(line) }),
  })
  const endEvents = system.on(logEvents(sink))
  return {
    sink,
    end: () => {
      endEvents()
      sink.flush()
    },
  }
}
