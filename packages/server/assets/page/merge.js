const keptPoints = 120

/**
 * The state after a delta. A delta has the shape of a snapshot and only what changed: policies by name (`removed: true` takes one
 * out), the demo's lanes by name, their history as the seconds that are new. Everything else replaces what was.
 */
export function merge(state, delta) {
  const merged = { ...state, ...delta }
  if (delta.policies !== undefined) merged.policies = mergePolicies(state.policies ?? [], delta.policies)
  if (delta.demo) merged.demo = mergeDemo(state.demo, delta.demo)
  return merged
}

function mergePolicies(known, changed) {
  const byName = new Map(known.map((policy) => [keyOf(policy), policy]))
  for (const policy of changed) {
    const key = keyOf(policy)
    if (policy.removed) byName.delete(key)
    else byName.set(key, { ...byName.get(key), ...policy })
  }
  return [...byName.values()]
}

/** Policies of different kinds may share a name. */
function keyOf({ kind, name }) {
  return `${kind}\n${name}`
}

function mergeDemo(known, changed) {
  if (!known || known.startedAt !== (changed.startedAt ?? known.startedAt)) return changed // another run
  return { ...known, ...changed, lanes: mergeLanes(known.lanes, changed.lanes ?? []) }
}

function mergeLanes(known, changed) {
  return known.map((lane) => {
    const change = changed.find((other) => other.name === lane.name)
    return change ? { ...lane, ...change, history: mergeHistory(lane.history, change.history ?? []) } : lane
  })
}

function mergeHistory(known, added) {
  const last = known.at(-1)?.at ?? -Infinity
  return [...known, ...added.filter((point) => point.at > last)].slice(-keptPoints)
}
