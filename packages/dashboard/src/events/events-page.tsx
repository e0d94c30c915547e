import type { EventView } from '@holdfast/server/wire'
import { useSignal, useSignalEffect } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import { getJson } from '../api/client.ts'
import { events as liveEvents } from '../live/store.ts'
import { countText } from '../words/figure-text.ts'
import { knownEventTypes } from '../words/event-sentence.ts'
import { EventList } from './event-list.tsx'
import { joinEvents, matchingEvents, withLiveEvents } from './filter-events.ts'

const pageSize = 200
/** What the page holds at most; older events then need another search. */
const maxHeld = 5_000
/** Lines on the page at most: more than anybody reads, and a browser draws them without delay. */
const maxLines = 1_000
const families = [...new Set(knownEventTypes.map((type) => type.slice(0, type.indexOf('.'))))]

/** The stream of events as sentences: live, filtered, paused, and back in time. */
export function EventsPage() {
  const search = useSignal(searchOfAddress())
  const type = useSignal('')
  const known = useSignal<readonly EventView[]>(liveEvents.peek())
  /** What was known when somebody paused the stream; null while it runs. */
  const held = useSignal<readonly EventView[] | null>(null)
  const isReading = useSignal(false)
  const isComplete = useSignal(false)
  const failure = useSignal<string | null>(null)

  useSignalEffect(() => {
    known.value = withLiveEvents(known.peek(), liveEvents.value, maxHeld)
  })
  const all = held.value ?? known.value
  const shown = useMemo(() => matchingEvents(all, { search: search.value, type: type.value }), [all, search.value, type.value])
  const lastHeldId = held.value?.at(-1)?.id ?? 0
  const arrived = held.value === null ? 0 : known.value.filter(({ id }) => id > lastHeldId).length

  const readOlder = async (): Promise<void> => {
    const before = known.value[0]?.id
    isReading.value = true
    failure.value = null
    try {
      const query = before === undefined ? '' : `before=${before}&`
      const { events } = await getJson<{ readonly events: readonly EventView[] }>(`/api/v1/events?${query}limit=${pageSize}`)
      const page = events.toSorted((a, b) => a.id - b.id)
      known.value = joinEvents(page, known.value)
      if (held.value !== null) held.value = joinEvents(page, held.value)
      isComplete.value = page.length < pageSize || known.value.length >= maxHeld
    } catch (error) {
      failure.value = error instanceof Error ? error.message : 'The server cannot be reached.'
    } finally {
      isReading.value = false
    }
  }
  useEffect(() => void readOlder(), [])

  return (
    <div class="events-page">
      <h1>Events</h1>
      <div class="toolbar" role="search">
        <input
          type="search"
          aria-label="Search events"
          placeholder="Search policy, type, words"
          data-search
          value={search.value}
          onInput={(event) => (search.value = event.currentTarget.value)}
        />
        <label>
          Kind{' '}
          <select value={type.value} onChange={(event) => (type.value = event.currentTarget.value)}>
            <option value="">all</option>
            {families.map((family) => (
              <option key={family} value={family}>
                {family}
              </option>
            ))}
          </select>
        </label>
        <button type="button" aria-pressed={held.value !== null} onClick={() => (held.value = held.value === null ? known.value : null)}>
          {held.value === null ? 'Pause' : 'Go on'}
        </button>
        <span class="quiet" role="status">
          {held.value === null ? `${countText(shown.length)} shown, newest first` : `paused; ${countText(arrived)} newer`}
        </span>
      </div>
      {shown.length === 0 ? (
        <p class="quiet">{emptyWords(all.length, isReading.value)}</p>
      ) : (
        <EventList events={shown} maxLines={maxLines} />
      )}
      <p>
        {failure.value !== null && <span class="failed">Older events could not be read: {failure.value} </span>}
        {isComplete.value ? (
          <span class="quiet">{known.value.length >= maxHeld ? 'This page holds no more than that.' : 'Nothing older is kept.'}</span>
        ) : (
          <button type="button" disabled={isReading.value} onClick={() => void readOlder()}>
            {isReading.value ? 'Reading …' : 'Show older'}
          </button>
        )}
      </p>
    </div>
  )
}

function emptyWords(known: number, isReading: boolean): string {
  if (known > 0) return 'None of the events read so far match. Older ones may.'
  return isReading ? 'Reading …' : 'Nothing has happened yet: policies tell when something changes or a call is refused.'
}

/** `#/events?search=llm` searches from the start. */
function searchOfAddress(): string {
  return new URLSearchParams(location.hash.split('?')[1] ?? '').get('search') ?? ''
}
