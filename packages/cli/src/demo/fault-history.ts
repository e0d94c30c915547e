import { describeFault, serviceNames, type ServiceName } from './faults.ts'
import type { ActiveFault } from './fault-board.ts'

/** A fault that was, or is, in force: what really happened, whoever asked for it. */
export interface FaultSegment {
  readonly service: ServiceName
  readonly kind: string
  readonly text: string
  readonly source: 'script' | 'manual'
  /** Epoch ms. */
  readonly from: number
  /** Epoch ms; null while it lasts. */
  readonly until: number | null
}

export interface FaultHistory {
  /** The faults in force from now on. */
  record(active: readonly ActiveFault[], at: number): void
  /** Oldest first; those that ended longer than two minutes ago are forgotten. */
  segments(at: number): readonly FaultSegment[]
}

const keptMs = 120_000

export function faultHistory(): FaultHistory {
  let ended: FaultSegment[] = []
  const open = new Map<ServiceName, FaultSegment>()
  return {
    record: (active, at) => {
      for (const service of serviceNames) {
        const current = open.get(service)
        const wanted = active.find((fault) => fault.service === service)
        const text = wanted === undefined ? undefined : describeFault(wanted.fault)
        if (current?.text === text && current?.source === wanted?.source) continue
        if (current !== undefined) ended.push({ ...current, until: at })
        open.delete(service)
        if (wanted === undefined || text === undefined) continue
        open.set(service, { service, kind: wanted.fault.kind, text, source: wanted.source, from: at, until: null })
      }
    },
    segments: (at) => {
      ended = ended.filter((segment) => (segment.until as number) > at - keptMs)
      return [...ended, ...open.values()].toSorted((a, b) => a.from - b.from)
    },
  }
}
