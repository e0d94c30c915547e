import type { Clock } from 'holdfast'
import { serviceNames, type Fault, type FaultState, type ServiceName } from './faults.ts'

export interface ActiveFault {
  readonly service: ServiceName
  readonly fault: Fault
  readonly source: 'script' | 'manual'
  /** Epoch ms at which a manual fault ends by itself; absent when it stays. */
  readonly until?: number
}

interface Override {
  readonly fault: FaultState
  readonly endsAtMs: number
  readonly until: number | undefined
}

/** What each service should be doing now: the script's fault, unless somebody set one by hand. */
export interface FaultBoard {
  /** What the script wants from now on. */
  follow(faults: Readonly<Partial<Record<ServiceName, Fault>>>): void
  /** Overrides the script for one service; `undefined` is "no fault". For ever unless `forMs` is given. */
  override(service: ServiceName, fault: FaultState, forMs?: number): void
  /** Gives a service (or all) back to the script. */
  release(service?: ServiceName): void
  faultOf(service: ServiceName): FaultState
  active(): readonly ActiveFault[]
}

export function faultBoard(clock: Clock): FaultBoard {
  let scripted: Readonly<Partial<Record<ServiceName, Fault>>> = {}
  const overrides = new Map<ServiceName, Override>()

  const overrideOf = (service: ServiceName): Override | undefined => {
    const override = overrides.get(service)
    if (override === undefined || clock.now() < override.endsAtMs) return override
    overrides.delete(service)
    return undefined
  }
  const faultOf = (service: ServiceName): FaultState => {
    const override = overrideOf(service)
    return override === undefined ? scripted[service] : override.fault
  }

  return {
    follow: (faults) => {
      scripted = faults
    },
    override: (service, fault, forMs) => {
      const endsAtMs = forMs === undefined ? Infinity : clock.now() + forMs
      overrides.set(service, { fault, endsAtMs, until: forMs === undefined ? undefined : clock.wallNow() + forMs })
    },
    release: (service) => {
      if (service === undefined) overrides.clear()
      else overrides.delete(service)
    },
    faultOf,
    active: () =>
      serviceNames.flatMap((service): ActiveFault[] => {
        const fault = faultOf(service)
        if (fault === undefined) return []
        const override = overrideOf(service)
        if (override === undefined) return [{ service, fault, source: 'script' }]
        return [{ service, fault, source: 'manual', ...(override.until === undefined ? {} : { until: override.until }) }]
      }),
  }
}
