const shownEvents = 15

/** The last events, newest first: when, which policy, what, and the figures that came with it. */
export function showEvents(list, events) {
  const shown = events.slice(-shownEvents).toReversed()
  if (list.dataset.last === String(shown[0]?.id)) return
  list.dataset.last = String(shown[0]?.id)
  list.replaceChildren(...shown.map(lineOf))
}

function lineOf({ type, policy, at, data }) {
  const line = document.createElement('li')
  const time = document.createElement('time')
  time.dateTime = new Date(at).toISOString()
  time.textContent = new Date(at).toLocaleTimeString()
  const figures = Object.entries(data ?? {}).flatMap(([name, value]) =>
    typeof value === 'string' || typeof value === 'number' ? [`${name} ${value}`] : [],
  )
  line.append(time, [policy, type, ...figures].join('  '))
  return line
}
