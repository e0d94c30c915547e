import type { Listener, PolicyEvent } from '../events.ts'
import { eventLines, lineOfUnknown, type EventLine } from './event-lines.ts'
import type { LogSink } from './log-sink.ts'

/**
 * A listener that logs policies' events: one line for each change of state, and limited repeats of everything else. Only figures,
 * codes and the names of policies are written, never keys or results.
 * @param further Lines for events of your own, by type; they win over the built-in ones.
 * @example `breaker.on(logEvents(logSink()))`
 */
export function logEvents(sink: LogSink, further: Readonly<Record<string, EventLine>> = {}): Listener<PolicyEvent> {
  const lines = new Map(Object.entries({ ...eventLines, ...further }))
  return (event) => {
    const line = lines.get(event.type) ?? lineOfUnknown(event)
    const { level, isChange = false } = line
    if (!sink.isEnabled(level)) return
    const { type, policy, at } = event
    sink.log({ level, message: fillIn(line.message, event), event: type, policy, at, fields: fieldsOf(line, event), isChange })
  }
}

function fieldsOf(line: EventLine, event: PolicyEvent): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  for (const name of line.fields ?? []) fields[name] = fieldOf(event, name)
  const error = fieldOf(event, 'error')
  if (error !== undefined) fields['err'] = error
  return fields
}

function fillIn(message: string, event: PolicyEvent): string {
  return message.replace(/\{(\w+)\}/g, (_whole, name: string) => {
    const value = fieldOf(event, name)
    if (typeof value === 'number') return String(Math.round(value))
    return typeof value === 'string' ? value : 'unknown'
  })
}

/** A reason is an object that names its rule. */
function fieldOf(event: PolicyEvent, name: string): unknown {
  const value = (event as unknown as Readonly<Record<string, unknown>>)[name]
  return name === 'reason' && typeof value === 'object' && value !== null && 'rule' in value ? value.rule : value
}
