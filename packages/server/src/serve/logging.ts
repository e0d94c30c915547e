import type { FaultTolerantSystem } from 'holdfast/system'
import type { LogLevel } from '../config/index.ts'

/** Where log lines go. */
export interface LogOutput {
  write(line: string): void
}
export function startLogging(_system: FaultTolerantSystem, _level: LogLevel, _output?: LogOutput): () => void {
  return () => undefined
}
