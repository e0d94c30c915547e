import { afterDelta, afterSnapshot, emptyState } from './live-state.js'

/**
 * Follows the control API's event stream. `onState` is called with the whole state after each message, `onConnection` with
 * 'connecting', 'live' or 'lost' and the epoch ms of the last message. The browser reconnects by itself; a snapshot comes first then.
 */
export function follow(url, { onState, onConnection }) {
  let state = emptyState
  let lastAt = null
  const source = new EventSource(url)
  const receive = (apply) => (message) => {
    state = apply(state, JSON.parse(message.data))
    lastAt = Date.now()
    onConnection('live', lastAt)
    onState(state)
  }
  onConnection('connecting', lastAt)
  source.addEventListener('snapshot', receive(afterSnapshot))
  source.addEventListener('delta', receive(afterDelta))
  source.addEventListener('error', () => onConnection(lastAt === null ? 'connecting' : 'lost', lastAt))
}
