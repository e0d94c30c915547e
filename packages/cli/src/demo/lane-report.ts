import type { Lane } from './lane.ts'
import { serviceNames, type ServiceName } from './faults.ts'
import type { ProtectionFigures } from './protected-tools.ts'
import type { LaneName, LaneSnapshot, LoadFigures } from './snapshot.ts'
import type { ServiceStats } from './services/service-stats.ts'

/** A lane together with what its services and its protection say about it. */
export interface LaneReport {
  /** Ends a second: takes in what the services counted in it, and which of them had a fault. */
  closeSecond(stats: Readonly<Record<ServiceName, ServiceStats | null>>, failing: ReadonlySet<ServiceName>): void
  snapshot(): LaneSnapshot
}

export interface LaneReportOptions {
  readonly name: LaneName
  readonly title: string
  readonly lane: Lane
  readonly protection: () => ProtectionFigures
}

export function laneReport({ name, title, lane, protection }: LaneReportOptions): LaneReport {
  const services: Record<ServiceName, ServiceStats | null> = { llm: null, search: null, orders: null }
  let whileFailing = 0

  return {
    closeSecond: (stats, failing) => {
      let llmRequests = 0
      for (const service of serviceNames) {
        const now = stats[service]
        if (now === null) continue // it did not answer in time; its next answer covers this second too
        const sent = now.received - (services[service]?.received ?? 0)
        if (failing.has(service)) whileFailing += sent
        if (service === 'llm') llmRequests = sent
        services[service] = now
      }
      lane.closeSecond(llmRequests)
    },
    snapshot: () => ({
      name,
      title,
      totals: lane.statistics.totals(),
      recent: lane.statistics.recent(),
      waiting: lane.waiting,
      abandoned: lane.abandoned,
      peakRunning: lane.peakRunning,
      failures: lane.statistics.failures(),
      phases: lane.statistics.byPhase(),
      services: { ...services },
      load: loadOf(services, whileFailing),
      protection: protection(),
      history: lane.statistics.history(),
    }),
  }
}

function loadOf(services: Readonly<Record<ServiceName, ServiceStats | null>>, whileFailing: number): LoadFigures {
  const sum = (figure: 'received' | 'repeated'): number => serviceNames.reduce((total, name) => total + (services[name]?.[figure] ?? 0), 0)
  return { requests: sum('received'), repeated: sum('repeated'), whileFailing }
}
