const pastMs = 120_000
const futureMs = 20_000
const tickMs = 30_000

/** The one time axis of all charts: two minutes back, and a little ahead for what the script will do. */
export function timeAxis(now, width) {
  const from = now - pastMs
  const pixelsPerMs = width / (pastMs + futureMs)
  return {
    now,
    from,
    until: now + futureMs,
    x: (at) => (at - from) * pixelsPerMs,
    /** The instant under a pixel. */
    at: (x) => from + x / pixelsPerMs,
    ticks: Array.from({ length: pastMs / tickMs + 1 }, (_, index) => now - pastMs + index * tickMs),
  }
}

/** When the faults of the script will be in force, as far as it is known: the rest of this round, and the next if it loops. */
export function plannedFaults({ script, at }) {
  if (script.index === null) return []
  const began = at - script.positionMs
  const rounds = script.loops ? [began, began + script.durationMs] : [began]
  return rounds.flatMap((start) =>
    script.phases.flatMap(({ startMs, durationMs, faults }) =>
      faults.map((fault) => ({ ...fault, from: start + startMs, until: start + startMs + durationMs })),
    ),
  )
}

/** The second of a history that covers an instant. */
export function pointAt(history, at) {
  return history.find((point) => point.at >= at && point.at - 1_500 < at)
}
