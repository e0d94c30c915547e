import type { DemoView, FaultSegmentView, LanePointView } from './demo-view.ts'

const pastMs = 120_000
const futureMs = 20_000
const tickMs = 30_000
const secondMs = 1_000

/** The time axis of both lanes: two minutes back, and a little ahead for what the script will do. Places are shares, 0..1. */
export interface DemoAxis {
  readonly from: number
  readonly now: number
  readonly until: number
  readonly ticks: readonly { readonly at: number; readonly text: string }[]
  shareOf(at: number): number
  /** The instant at a share; null in the future and before the axis. */
  instantAt(share: number): number | null
}

export function demoAxis(now: number): DemoAxis {
  const from = now - pastMs
  const until = now + futureMs
  return {
    from,
    now,
    until,
    ticks: Array.from({ length: pastMs / tickMs }, (_, index) => {
      const ago = pastMs - index * tickMs
      return { at: now - ago, text: `−${ago / 1_000} s` }
    }),
    shareOf: (at) => (at - from) / (until - from),
    instantAt: (share) => {
      const at = from + share * (until - from)
      return at < from || at > now ? null : at
    },
  }
}

/** A stretch of the strip, in shares of the axis. */
export interface StripPiece {
  readonly key: string
  readonly service: string
  readonly kind: string
  readonly text: string
  readonly isManual: boolean
  readonly isPlanned: boolean
  readonly left: number
  readonly width: number
}

/** What was wrong with each service, and what the script will do to it, cut to the axis. */
export function stripPieces(demo: DemoView, axis: DemoAxis): StripPiece[] {
  const happened = demo.faultSegments.map((segment) => ({
    ...segment,
    until: Math.min(segment.until ?? axis.now, axis.now),
    isPlanned: false,
  }))
  const planned = plannedFaults(demo).map((plan) => ({ ...plan, from: Math.max(plan.from, axis.now), isPlanned: true }))
  return [...happened, ...planned].flatMap(({ service, kind, text, source, from, until, isPlanned }) => {
    const start = Math.max(from, axis.from)
    const end = Math.min(until, axis.until)
    if (end <= start) return []
    return [
      {
        key: `${isPlanned ? 'plan' : source} ${service} ${from}`,
        service,
        kind,
        text,
        isManual: source === 'manual',
        isPlanned,
        left: axis.shareOf(start),
        width: axis.shareOf(end) - axis.shareOf(start),
      },
    ]
  })
}

/** When the faults of the script will be in force, as far as it is known: the rest of this round, and the next if it loops. */
function plannedFaults({ script, at }: DemoView): (Omit<FaultSegmentView, 'until'> & { readonly until: number })[] {
  if (script.index === null) return []
  const began = at - script.positionMs
  const rounds = script.loops ? [began, began + script.durationMs] : [began]
  return rounds.flatMap((start) =>
    script.phases.flatMap(({ startMs, durationMs, faults }) =>
      faults.map((fault) => ({ ...fault, source: 'script' as const, from: start + startMs, until: start + startMs + durationMs })),
    ),
  )
}

/** The second of a history that covers an instant. */
export function pointAt(history: readonly LanePointView[], at: number): LanePointView | undefined {
  return history.find((point) => point.at >= at && point.at - 1.5 * secondMs < at)
}

/** Where a key moves the crosshair to; undefined for keys that do not. */
export function instantAfterKey(key: string, pointedAt: number | null, axis: DemoAxis): number | null | undefined {
  const at = pointedAt ?? axis.now
  if (key === 'ArrowLeft') return Math.max(axis.from + secondMs, at - secondMs)
  if (key === 'ArrowRight') return Math.min(axis.now, at + secondMs)
  if (key === 'PageUp') return Math.max(axis.from + secondMs, at - 10 * secondMs)
  if (key === 'PageDown') return Math.min(axis.now, at + 10 * secondMs)
  if (key === 'Escape' && pointedAt !== null) return null
  return undefined
}
