import type { EventView } from '@holdfast/server/wire'
import { useMemo } from 'preact/hooks'
import { Link, policyPath } from '../router.tsx'
import { TimeText } from '../ui/time-text.tsx'
import { countText, lastedText } from '../words/figure-text.ts'
import { kindOfPolicy } from '../words/policy-name.ts'
import './events.css'
import { groupEvents, type EventLine } from './group-events.ts'

/** Shape as well as colour: what an event means, at a glance. */
const glyphs = { good: '●', bad: '▲', warning: '◆', paused: 'Ⅱ', forced: '■', plain: '·' } as const

interface EventListProps {
  /** Oldest first. */
  readonly events: readonly EventView[]
  readonly maxLines: number
}

/** Events as sentences, newest first, repeats in one line. */
export function EventList({ events, maxLines }: EventListProps) {
  const lines = useMemo(() => groupEvents(events), [events])
  return (
    <>
      <ol class="event-list">
        {lines.slice(0, maxLines).map((line) => (
          <Line key={line.key} line={line} />
        ))}
      </ol>
      {lines.length > maxLines && <p class="quiet">And {countText(lines.length - maxLines)} older lines: a search brings them up.</p>}
    </>
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
