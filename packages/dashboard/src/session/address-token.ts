/** The token in a fragment such as `#token=…`, as the demonstration prints it; null when there is none. */
export function tokenInFragment(fragment: string): string | null {
  if (!fragment.startsWith('#token=')) return null
  const token = new URLSearchParams(fragment.slice(1)).get('token')
  return token === null || token === '' ? null : token
}

/**
 * Takes the token out of the address bar at once, and out of this history entry, so that it is neither seen nor kept. A fragment is
 * never sent to a server.
 */
export function takeTokenFromAddress(): string | null {
  const token = tokenInFragment(location.hash)
  if (token !== null) history.replaceState(null, '', `${location.pathname}${location.search}`)
  return token
}
