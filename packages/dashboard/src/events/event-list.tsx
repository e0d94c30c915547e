import type { EventView } from '@holdfast/server/wire'
import { Link, policyPath } from '../router.tsx'
import { TimeText } from '../ui/time-text.tsx'
import { countText, lastedText } from '../words/figure-text.ts'
import { kindOfPolicy } from '../words/policy-name.ts'
import './events.css'
import { groupEvents, type EventLine } from './group-events.ts'

/** Shape as well as colour: what an event means, at a glance. */
const glyphs = { good: '●', bad: '▲', warning: '◆', paused: 'Ⅱ', forced: '■', plain: '·' } as const

/** Events as sentences, newest first; `events` are oldest first. */
export function EventList({ events }: { readonly events: readonly EventView[] }) {
  return (
    <ol class="event-list">
      {groupEvents(events).map((line) => (
        <Line key={line.key} line={line} />
      ))}
    </ol>
  )
}

function Line({ line: { latest, sentence, count, firstAt } }: { readonly line: EventLine }) {
  const kind = kindOfPolicy(latest.policy)
  return (
    <li data-tone={sentence.tone} class={sentence.isChange ? 'change' : undefined}>
      <span class="event-time">
        <TimeText at={latest.at} />
      </span>
      <span class="event-glyph" aria-hidden="true">
        {glyphs[sentence.tone]}
      </span>
      <span class="event-words">
        {kind === null ? <b>{sentence.subject}</b> : <Link to={policyPath(latest.policy)}>{sentence.subject}</Link>} {sentence.text}
        {count > 1 && (
          <span class="event-count">
            {' '}
            {sentence.isShared ? `and ${countText(count - 1)} more` : `${countText(count)} × within ${lastedText(latest.at - firstAt)}`}
          </span>
        )}
      </span>
      <span class="event-type">{latest.type}</span>
    </li>
  )
}
