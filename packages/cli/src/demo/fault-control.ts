import type { Clock } from 'holdfast'
import { faultBoard, type ActiveFault } from './fault-board.ts'
import { faultHistory, type FaultSegment } from './fault-history.ts'
import { positionAt, type FaultScript } from './fault-script.ts'
import { formatFault, serviceNames, type FaultState, type ServiceName } from './faults.ts'
import type { ServiceFleet } from './service-fleet.ts'

/** Brings the services to do what script and people want of them. */
export interface FaultControl {
  /** Follows the script to this moment and tells the services what has changed. */
  follow(elapsedMs: number): Promise<void>
  /** Overrides the script for one service, now; for ever unless `forMs` is given. */
  set(service: ServiceName, fault: FaultState, forMs?: number): Promise<void>
  /** Gives a service, or all, back to the script. */
  release(service?: ServiceName): Promise<void>
  active(): readonly ActiveFault[]
  segments(): readonly FaultSegment[]
}

export interface FaultControlOptions {
  readonly fleet: Pick<ServiceFleet, 'setFault'>
  readonly script: FaultScript
  readonly loops: boolean
  readonly clock: Clock
}

export function faultControl({ fleet, script, loops, clock }: FaultControlOptions): FaultControl {
  const board = faultBoard(clock)
  const history = faultHistory()
  const applied = new Map<ServiceName, string>()

  /** What a service could not be told now is tried again the next time. */
  const apply = async (): Promise<void> => {
    const changes = serviceNames.filter((service) => formatFault(board.faultOf(service)) !== (applied.get(service) ?? 'none'))
    await Promise.all(
      changes.map(async (service) => {
        const wanted = board.faultOf(service)
        const before = applied.get(service) ?? 'none'
        applied.set(service, formatFault(wanted))
        await fleet.setFault(service, wanted).catch(() => applied.set(service, before))
      }),
    )
    history.record(board.active(), clock.wallNow())
  }

  return {
    follow: (elapsedMs) => {
      board.follow(positionAt(script, elapsedMs, loops)?.phase.faults ?? {})
      return apply()
    },
    set: (service, fault, forMs) => {
      board.override(service, fault, forMs)
      return apply()
    },
    release: (service) => {
      board.release(service)
      return apply()
    },
    active: () => board.active(),
    segments: () => history.segments(clock.wallNow()),
  }
}
