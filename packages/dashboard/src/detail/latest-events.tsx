import type { EventView } from '@holdfast/server/wire'
import { EventList } from '../events/event-list.tsx'
import { Link } from '../router.tsx'

const shownLines = 40

/** What happened here lately, as sentences, with the way to all of it. */
export function LatestEvents({ events, search }: { readonly events: readonly EventView[]; readonly search: string }) {
  return (
    <section class="latest-events" aria-labelledby="latest-title">
      <h2 id="latest-title">
        What happened lately <Link to={`/events?search=${encodeURIComponent(search)}`}>all events</Link>
      </h2>
      {events.length === 0 ? (
        <p class="quiet">Nothing has changed, and no call was refused, repeated or given up.</p>
      ) : (
        <EventList events={events} maxLines={shownLines} />
      )}
    </section>
  )
}
