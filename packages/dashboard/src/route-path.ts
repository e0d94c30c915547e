/** A page and what it is about. */
export type Route =
  | { readonly page: 'overview' | 'policies' | 'events' | 'audit' | 'configuration' | 'demo' }
  | { readonly page: 'policy' | 'dependency'; readonly name: string }
  | { readonly page: 'unknown'; readonly path: string }

const plainPages = ['policies', 'events', 'audit', 'configuration', 'demo'] as const

/** The page that the path after the `#` names. */
export function parsePath(given: string): Route {
  const [, first = '', second, ...more] = given.split('?')[0]?.split('/') ?? []
  if (more.length > 0) return { page: 'unknown', path: given }
  if (second !== undefined && second !== '') {
    const name = decoded(second)
    if (name !== null && first === 'policies') return { page: 'policy', name }
    if (name !== null && first === 'dependencies') return { page: 'dependency', name }
    return { page: 'unknown', path: given }
  }
  if (first === '') return { page: 'overview' }
  const page = plainPages.find((each) => each === first)
  return page === undefined ? { page: 'unknown', path: given } : { page }
}

function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part)
  } catch {
    return null
  }
}
