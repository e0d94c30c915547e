import { merge } from './merge.js'

/**
 * Follows the control API's event stream. `onState` is called with the whole state after each event, `onConnection` with
 * 'connecting', 'live' or 'lost' and the epoch ms of the last event. The browser reconnects by itself; a snapshot comes first then.
 */
export function follow(url, { onState, onConnection }) {
  let state = {}
  let lastAt = null
  const source = new EventSource(url)
  const receive = (next) => {
    state = next
    lastAt = Date.now()
    onConnection('live', lastAt)
    onState(state)
  }
  onConnection('connecting', lastAt)
  source.addEventListener('snapshot', (event) => receive(JSON.parse(event.data)))
  source.addEventListener('delta', (event) => receive(merge(state, JSON.parse(event.data))))
  source.addEventListener('error', () => onConnection(lastAt === null ? 'connecting' : 'lost', lastAt))
}
