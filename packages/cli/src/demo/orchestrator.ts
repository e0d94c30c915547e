import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from 'holdfast'
import type { AnyPolicy } from 'holdfast/system'
import { runTask } from './agent.ts'
import { bareConnections, type ServiceUrls } from './bare-connections.ts'
import { DemoRun, type DemoEnd } from './demo-run.ts'
import { faultControl } from './fault-control.ts'
import { defaultScript, type FaultScript } from './fault-script.ts'
import type { FaultState, ServiceName } from './faults.ts'
import { laneReport } from './lane-report.ts'
import { lane } from './lane.ts'
import { protectedAgent } from './protected-connections.ts'
import type { ProtectionFigures } from './protected-tools.ts'
import { startServiceFleet } from './service-fleet.ts'
import type { DemoSnapshot } from './snapshot.ts'
import { stoppable } from './stoppable.ts'
import type { Task } from './task.ts'

/** What stands between the protected lane and its model. */
export interface ModelGateway {
  /** As the SDK wants it, up to and with `/v1`. */
  readonly llmBaseUrl: string
  /** Calls the gateway refused or answered itself, ever. */
  figures(): ProtectionFigures
}

export interface DemoOptions {
  /** Decides tasks, arrivals, latencies, and which requests meet a fault. @defaultValue 1 */
  readonly seed?: number
  /** Tasks per second in each lane, on average. @defaultValue 5 */
  readonly arrivalsPerSecond?: number
  /** How long the user of a task waits, in ms. @defaultValue 15_000 */
  readonly deadlineMs?: number
  /** @defaultValue {@link defaultScript} */
  readonly script?: FaultScript
  /** Whether the script begins again when it is over; otherwise the demo ends with it. @defaultValue false */
  readonly loops?: boolean
  /** Folder for the databases. @defaultValue a temporary one, removed at the end */
  readonly dataDir?: string
  /** Node options of the service processes. @defaultValue those of this process */
  readonly execArgv?: readonly string[]
  /** Puts a gateway before the protected lane's services. @defaultValue the lane calls its model itself */
  readonly gateway?: (services: ServiceUrls) => Promise<ModelGateway>
}

/** A running demo. */
export interface Demo {
  readonly pids: readonly number[]
  /** The protected lane's policies, for the control plane to show and steer. */
  readonly policies: readonly AnyPolicy[]
  snapshot(): DemoSnapshot
  /** Calls `listener` after every second. Returns the function that ends it. */
  onSecond(listener: (snapshot: DemoSnapshot) => void): () => void
  /** Overrides the script for one service in both lanes; for ever unless `forMs` is given. `undefined` is no fault. */
  setFault(service: ServiceName, fault: FaultState, forMs?: number): Promise<void>
  /** Gives a service, or all of them, back to the script. */
  releaseFault(service?: ServiceName): Promise<void>
  /** When the script is over and nobody waits any more, when a service crashed, or when it was stopped. */
  readonly ended: Promise<DemoEnd>
  /** Ends arrivals and processes. Safe to call twice. */
  stop(): Promise<void>
}

/**
 * Starts two lanes that do the same tasks at the same instants, each with services of its own that have the same seed and meet
 * the same faults; only what stands between agent and services differs.
 * @throws Error in one sentence when a service does not start.
 */
export async function startDemo(options: DemoOptions = {}): Promise<Demo> {
  const { seed = 1, arrivalsPerSecond = 5, deadlineMs = 15_000, script = defaultScript, loops = false, execArgv } = options
  const clock = systemClock
  const folder = dataFolder(options.dataDir)
  const crash: { report: (message: string) => void } = { report: () => {} }
  const fleet = await startServiceFleet({ seed, dataDir: folder.path, execArgv, onCrash: (message) => crash.report(message) }).catch(
    (error: unknown) => {
      folder.remove()
      throw error
    },
  )
  const stopServices = async (): Promise<void> => {
    await fleet.stop()
    folder.remove()
  }

  try {
    const urls = fleet.urls('holdfast')
    const gateway = (await options.gateway?.(urls)) ?? directModel(urls)
    const agent = protectedAgent({ llmBaseUrl: gateway.llmBaseUrl, search: urls.search, orders: urls.orders, deadlineMs })
    const bare = bareConnections(fleet.urls('bare'))
    const bareWork = stoppable((task: Task, endOfDemo) => runTask(task, bare, endOfDemo))
    const holdfastWork = stoppable((task: Task, endOfDemo) => agent.run(task, endOfDemo))
    const bareLane = lane({ run: bareWork.run, deadlineMs, clock })
    const holdfastLane = lane({ run: holdfastWork.run, deadlineMs, clock })
    const run = new DemoRun({
      seed,
      arrivalsPerSecond,
      deadlineMs,
      script,
      loops,
      clock,
      fleet,
      faults: faultControl({ fleet, script, loops, clock }),
      lanes: [
        {
          lane: bareLane,
          report: laneReport({ name: 'bare', title: 'bare', lane: bareLane, protection: () => ({ refused: 0, fallbacks: 0 }) }),
        },
        {
          lane: holdfastLane,
          report: laneReport({
            name: 'holdfast',
            title: 'Holdfast',
            lane: holdfastLane,
            protection: () => sum(agent.figures(), gateway.figures()),
          }),
        },
      ],
      stopWork: async () => {
        bareWork.stop()
        holdfastWork.stop()
        await stopServices()
      },
    })
    crash.report = (message) => run.crash(message)
    run.start()
    return {
      pids: fleet.pids,
      policies: agent.policies,
      snapshot: () => run.snapshot(),
      onSecond: (listener) => run.onSecond(listener),
      setFault: (service, fault, forMs) => run.faults.set(service, fault, forMs),
      releaseFault: (service) => run.faults.release(service),
      ended: run.ended,
      stop: () => run.stop(),
    }
  } catch (error) {
    await stopServices()
    throw error
  }
}

function directModel(urls: ServiceUrls): ModelGateway {
  return { llmBaseUrl: `${urls.llm}/v1`, figures: () => ({ refused: 0, fallbacks: 0 }) }
}

function sum(a: ProtectionFigures, b: ProtectionFigures): ProtectionFigures {
  return { refused: a.refused + b.refused, fallbacks: a.fallbacks + b.fallbacks }
}

/** A folder that was not asked for by name does not stay. */
function dataFolder(path: string | undefined): { readonly path: string; remove(): void } {
  if (path !== undefined) return { path, remove: () => {} }
  const temporary = mkdtempSync(join(tmpdir(), 'holdfast-demo-'))
  return { path: temporary, remove: () => rmSync(temporary, { recursive: true, force: true }) }
}
