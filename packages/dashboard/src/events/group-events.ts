import type { EventView } from '@holdfast/server/wire'
import { eventSentence, type EventSentence } from '../words/event-sentence.ts'

/** One line of the stream: an event, or the same thing several times in a row. */
export interface EventLine {
  /** Id of the oldest event of the line: it stays while newer ones join. */
  readonly key: number
  readonly latest: EventView
  readonly sentence: EventSentence
  readonly count: number
  readonly firstAt: number
}

/** Repeats further apart than this are lines of their own. */
const apartMs = 30_000

/**
 * Lines for events, newest first; `events` are oldest first. What happens with every call (an attempt, a refusal) is one line as
 * long as it repeats and nothing has changed in between: a change is never hidden in a group, and no group reaches across one.
 */
export function groupEvents(events: readonly EventView[]): EventLine[] {
  const lines: EventLine[] = []
  const growing = new Map<string, number>()
  for (const event of events) {
    const sentence = eventSentence(event)
    const topic = sentence.isShared ? event.type : `${event.type} ${event.policy}`
    if (sentence.isChange) growing.clear()
    const place = sentence.isChange ? undefined : growing.get(topic)
    const line = place === undefined ? undefined : lines[place]
    if (place !== undefined && line !== undefined && event.at - line.latest.at <= apartMs) {
      lines[place] = { ...line, latest: event, sentence, count: line.count + 1 }
      continue
    }
    if (!sentence.isChange) growing.set(topic, lines.length)
    lines.push({ key: event.id, latest: event, sentence, count: 1, firstAt: event.at })
  }
  return lines.toSorted((a, b) => b.latest.id - a.latest.id)
}
