const keptEvents = 50

export const emptyState = { run: null, sections: {}, events: [] }

/** The state after a snapshot of the event stream: `{ run, resumed, state, events }`. Another run of the server starts anew. */
export function afterSnapshot(known, { run, resumed, state, events }) {
  const continues = resumed && known.run === run
  return { run, sections: state, events: withEvents(continues ? known.events : [], events) }
}

/** The state after a delta: `{ state, events }`, with those sections that have changed, each as a whole. */
export function afterDelta(known, { state, events }) {
  return { ...known, sections: { ...known.sections, ...state }, events: withEvents(known.events, events) }
}

function withEvents(known, added = []) {
  const lastId = known.at(-1)?.id ?? -1
  return [...known, ...added.filter((event) => event.id > lastId)].slice(-keptEvents)
}
