import type { Delta, EventView, LiveState, Snapshot } from '@holdfast/server/wire'

/** One dictionary of the state. Names come from a configuration: even `__proto__` is just a name in it. */
export type Entries<T> = Readonly<Record<string, T>>

export const keptEvents = 500

/** What the page knows, merged out of the messages of the live feed. */
export class LiveModel {
  run: string | null = null
  at = 0
  server: LiveState['server'] | null = null
  config: LiveState['config'] | null = null
  demo: unknown = undefined
  dependencies: Entries<LiveState['dependencies'][string]> = entries({})
  policies: Entries<LiveState['policies'][string]> = entries({})
  /** Oldest first, each once, without a hole between two of them. */
  events: readonly EventView[] = []

  /** Takes a whole state. Answers whether it is of another run of the server than the one before. */
  snapshot({ run, at, resumed, state, events }: Snapshot): boolean {
    const isRestart = this.run !== null && this.run !== run
    if (isRestart && !resumed) this.events = [] // its numbers may have begun anew
    this.run = run
    this.at = at
    this.server = state.server
    this.config = state.config
    this.demo = state.demo ?? undefined
    this.dependencies = entries(state.dependencies)
    this.policies = entries(state.policies)
    this.events = joined(this.events, events)
    return isRestart
  }

  delta({ at, server, config, demo, dependencies, policies, gone, events }: Delta): void {
    this.at = at
    if (server !== undefined) this.server = server
    if (config !== undefined) this.config = config
    if (demo !== undefined) this.demo = demo ?? undefined
    this.dependencies = changed(this.dependencies, dependencies, gone?.dependencies)
    this.policies = changed(this.policies, policies, gone?.policies)
    this.events = joined(this.events, events)
  }
}

function entries<T>(from: Entries<T>): Entries<T> {
  return Object.assign(Object.create(null), from) as Entries<T>
}

function changed<T>(known: Entries<T>, news: Entries<T> | undefined, gone: readonly string[] | undefined): Entries<T> {
  if (news === undefined && gone === undefined) return known
  const next = Object.assign(Object.create(null), known, news) as Record<string, T>
  for (const key of gone ?? []) delete next[key]
  return next
}

/** Events that follow the known ones. When some in between are missing, the known ones are dropped rather than told as if none were. */
function joined(known: readonly EventView[], added: readonly EventView[]): readonly EventView[] {
  const lastId = known.at(-1)?.id ?? 0
  const fresh = added.filter(({ id }) => id > lastId)
  const first = fresh[0]
  if (first === undefined) return known
  return [...(first.id === lastId + 1 ? known : []), ...fresh].slice(-keptEvents)
}
