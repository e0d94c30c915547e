import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ServiceUrls } from './bare-connections.ts'
import { serviceNames, type FaultState, type ServiceName } from './faults.ts'
import { startServiceChild, type ServiceChild } from './service-child.ts'
import type { LaneName } from './snapshot.ts'
import type { ServiceConfig } from './services/service-config.ts'
import type { ServiceStats } from './services/service-stats.ts'

export const laneNames = ['bare', 'holdfast'] as const satisfies readonly LaneName[]

/** All service processes of a run: each lane has its own set, started with the same seed and given the same faults. */
export interface ServiceFleet {
  readonly pids: readonly number[]
  urls(lane: LaneName): ServiceUrls
  /** Gives a fault to a service of every lane at the same time. */
  setFault(service: ServiceName, fault: FaultState): Promise<void>
  /** Null for a service that did not answer. */
  stats(lane: LaneName): Promise<Record<ServiceName, ServiceStats | null>>
  stop(): Promise<void>
}

export interface ServiceFleetOptions {
  readonly seed: number
  /** Folder for the databases; made when it is not there. */
  readonly dataDir: string
  readonly execArgv?: readonly string[] | undefined
  readonly onCrash: (message: string) => void
}

/** @throws Error when a service does not start; those that did are stopped first. */
export async function startServiceFleet(options: ServiceFleetOptions): Promise<ServiceFleet> {
  const { dataDir, execArgv, onCrash } = options
  const starts = laneNames.flatMap((lane) => {
    mkdirSync(join(dataDir, lane), { recursive: true })
    return serviceNames.map((service) => startServiceChild({ lane, config: configOf(service, lane, options), execArgv, onCrash }))
  })
  const started = await Promise.allSettled(starts)
  const children = started.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []))
  const failed = started.find((start) => start.status === 'rejected')
  if (failed !== undefined) {
    await Promise.all(children.map((child) => child.stop()))
    throw failed.reason
  }
  return fleetOf(children)
}

function configOf(service: ServiceName, lane: LaneName, { seed, dataDir }: ServiceFleetOptions): ServiceConfig {
  return service === 'orders' ? { service, seed, file: join(dataDir, lane, 'orders.db') } : { service, seed }
}

function fleetOf(children: readonly ServiceChild[]): ServiceFleet {
  const childOf = (lane: LaneName, service: ServiceName): ServiceChild =>
    children.find((child) => child.lane === lane && child.service === service) as ServiceChild
  return {
    pids: children.map((child) => child.pid),
    urls: (lane) => ({ llm: childOf(lane, 'llm').url, search: childOf(lane, 'search').url, orders: childOf(lane, 'orders').url }),
    setFault: async (service, fault) => {
      await Promise.all(laneNames.map((lane) => childOf(lane, service).setFault(fault)))
    },
    stats: async (lane) => {
      const read = (service: ServiceName): Promise<ServiceStats | null> =>
        childOf(lane, service)
          .stats()
          .catch(() => null)
      const [llm, search, orders] = await Promise.all([read('llm'), read('search'), read('orders')])
      return { llm, search, orders }
    },
    stop: async () => {
      await Promise.all(children.map((child) => child.stop()))
    },
  }
}
