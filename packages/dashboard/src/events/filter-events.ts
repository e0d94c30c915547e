import type { EventView } from '@holdfast/server/wire'
import { eventSentence } from '../words/event-sentence.ts'

export interface EventFilter {
  /** Words that all have to occur in subject, sentence, type or id of the policy. */
  readonly search: string
  /** A type, or the first part of one (`circuit`); empty for all. */
  readonly type: string
}

export function matchingEvents(events: readonly EventView[], { search, type }: EventFilter): readonly EventView[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0 && type === '') return events
  return events.filter((event) => {
    if (type !== '' && event.type !== type && !event.type.startsWith(`${type}.`)) return false
    if (words.length === 0) return true
    const { subject, text } = eventSentence(event)
    const haystack = `${event.policy} ${subject} ${text} ${event.type}`.toLowerCase()
    return words.every((word) => haystack.includes(word))
  })
}

/** Older events before those known, without those that both have. Oldest first. */
export function joinEvents(older: readonly EventView[], newer: readonly EventView[]): readonly EventView[] {
  const firstId = newer[0]?.id ?? Infinity
  return [...older.filter(({ id }) => id < firstId), ...newer]
}

/**
 * The known events with those of the live feed after them, at most `max` of the newest. When some in between were missed, only those
 * of the feed are left: a hole would look as if nothing had happened.
 */
export function withLiveEvents(known: readonly EventView[], live: readonly EventView[], max: number): readonly EventView[] {
  const lastId = known.at(-1)?.id ?? 0
  const fresh = live.filter(({ id }) => id > lastId)
  const [first] = fresh
  if (first === undefined) return known
  return (first.id === lastId + 1 ? [...known, ...fresh] : live).slice(-max)
}
