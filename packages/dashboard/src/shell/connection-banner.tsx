import { signal } from '@preact/signals'
import { connection, now, restartedAt, server } from '../live/store.ts'
import { lastedText } from '../words/figure-text.ts'
import { clockTimeText } from '../words/time-text.ts'

const toldOfFor = 120_000
const dismissedAt = signal<number | null>(null)

/** Says when what is shown is not the present, and when the server has been restarted meanwhile. */
export function ConnectionBanner() {
  if (connection.value.state === 'stale') {
    return (
      <p class="banner" data-kind="stale" role="alert">
        <b>Nothing has come from the server since {clockTimeText(now.value)}.</b> What is shown is the state of then. The page keeps trying.
      </p>
    )
  }
  const at = restartedAt.value
  if (at === null || dismissedAt.value === at || now.value - at > toldOfFor) return null
  const started = server.value?.startedAt
  return (
    <p class="banner" data-kind="note" role="status">
      The server was restarted{started === undefined ? '' : ` ${lastedText(now.value - started)} ago`}; its counters began anew.{' '}
      <button type="button" class="link" onClick={() => (dismissedAt.value = at)}>
        Dismiss
      </button>
    </p>
  )
}
