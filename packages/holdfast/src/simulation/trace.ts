import type { Priority } from '../core/call.ts'
import { HoldfastError } from '../core/errors.ts'
import { choiceOption, checkOptionNames, numberOption, booleanOption } from '../core/options.ts'
import { priorities } from './tally.ts'

/** One recorded call of a dependency. A trace file has one on each line, as JSON. */
export interface TraceCall {
  /** When it began, in ms since the trace did. */
  readonly atMs: number
  readonly durationMs: number
  readonly ok: boolean
  /** HTTP status, where there was one. */
  readonly status?: number
  readonly key?: string
  readonly priority?: Priority
}

/**
 * Reads a trace: one JSON object per line; empty lines are skipped.
 * @throws HoldfastError `ERR_INVALID_ARGUMENT` naming the line.
 */
export function parseTrace(text: string): readonly TraceCall[] {
  const calls: TraceCall[] = []
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    try {
      calls.push(checkTraceCall(JSON.parse(line), 'call'))
    } catch (error) {
      const message = `parseTrace: line ${index + 1}: ${error instanceof Error ? error.message : String(error)}`
      throw new HoldfastError({ code: 'ERR_INVALID_ARGUMENT', message, cause: error })
    }
  }
  return calls
}

/** The text that {@link parseTrace} reads. */
export function formatTrace(calls: readonly TraceCall[]): string {
  return calls.map((call) => `${JSON.stringify(call)}\n`).join('')
}

export function checkTraceCall(value: unknown, owner: string): TraceCall {
  checkOptionNames(owner, value, ['atMs', 'durationMs', 'ok', 'status', 'key', 'priority'])
  const call = value as TraceCall
  numberOption(owner, 'atMs', call.atMs)
  numberOption(owner, 'durationMs', call.durationMs)
  booleanOption(owner, 'ok', call.ok)
  if (call.status !== undefined) numberOption(owner, 'status', call.status, { min: 100, max: 599 })
  if (call.priority !== undefined) choiceOption(owner, 'priority', call.priority, priorities)
  return call
}
