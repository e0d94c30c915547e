import { now } from '../live/store.ts'
import { timeStyle } from '../preferences.ts'
import { lastedText } from '../words/figure-text.ts'
import { instantText, wholeTimeText } from '../words/time-text.ts'

interface TimeTextProps {
  /** Epoch ms. */
  readonly at: number
}

/** An instant as the viewer has chosen: `3 min ago` (or `in 3 min`), or `14:02:35`. The other is in its tooltip. */
export function TimeText({ at }: TimeTextProps) {
  const isRelative = timeStyle.value === 'relative'
  return (
    <time dateTime={new Date(at).toISOString()} title={wholeTimeText(at)}>
      {isRelative ? relativeText(at, now.value) : instantText(at, now.value)}
    </time>
  )
}

function relativeText(at: number, present: number): string {
  return at > present ? `in ${lastedText(at - present)}` : `${lastedText(present - at)} ago`
}
