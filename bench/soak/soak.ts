import { setTimeout as pause } from 'node:timers/promises'
import { seededRandom } from '../gateway/shuffle.ts'
import { Arrivals } from './arrivals.ts'
import { Clients, type ClientCounts } from './clients.ts'
import { takeSample, type SoakSample } from './sample.ts'
import type { SoakServer } from './server.ts'
import { judge, type Verdict } from './verdict.ts'
import { Viewers } from './viewers.ts'

export interface SoakOptions {
  readonly minutes: number
  /** Requests per second. @defaultValue half of what the server takes in a short trial */
  readonly rate: number | undefined
  readonly seed: number
  readonly log: (line: string) => void
}

export interface SoakResult {
  readonly minutes: number
  /** Requests per second at the start. */
  readonly rate: number
  /** The same at the end: lower when the machine could not keep up. */
  readonly endRate: number
  readonly counts: ClientCounts
  readonly viewerEvents: number
  readonly viewerReconnects: number
  /** Reloads asked for, by the status they were answered with. */
  readonly reloads: Readonly<Record<string, number>>
  readonly samples: readonly SoakSample[]
  readonly idle: SoakSample
  readonly verdict: Verdict
}

const viewers = 20
/** The pipeline's total timeout is 4 s, the longest body takes 3 s; the rest is for a busy machine. */
const clientDeadlineMs = 15_000
const sampleEveryMs = 10_000
const reloadEverySamples = 6
/** In every five minutes, the upstream has a bad half minute. */
const stormEverySamples = 30
const stormSamples = 3
const trialMs = 4_000
const maxRate = 1_000
/** Share of requests that may be held back in ten seconds before the rate is lowered: the machine has become slower than it was in the trial. */
const maxHeldBack = 0.02
/** Seconds that a request may take on average, likewise: it takes a tenth of that where there is CPU for it. */
const maxMeanSeconds = 0.7

/** Keeps a server under half its load, with every fault there is, and judges what is left of it. */
export async function soak(server: SoakServer, options: SoakOptions): Promise<SoakResult> {
  const { minutes, log } = options
  const clients = new Clients(`${server.gatewayUrl}/api`, clientDeadlineMs)
  const arrivals = new Arrivals(clients, seededRandom(options.seed))
  const watching = new Viewers(server.controlUrl, viewers)
  const reloads: Record<string, number> = {}
  const samples: SoakSample[] = []
  const { pid } = server.child
  try {
    const rate = options.rate ?? (await halfLoad(clients, arrivals))
    log(`${rate} requests per second for ${minutes} minutes`)
    arrivals.rate = rate
    const startedAt = performance.now()
    const endsAt = startedAt + minutes * 60_000
    const relief = new Relief(clients, arrivals, log)
    for (let count = 1; performance.now() < endsAt; count++) {
      await pause(Math.min(sampleEveryMs, Math.max(0, endsAt - performance.now())))
      if (server.child.hasEnded) throw new Error(`the server has ended: ${server.child.said}`)
      const sample = await takeSample(pid, server.controlUrl, (performance.now() - startedAt) / 1_000, clients.counts)
      samples.push(sample)
      log(describe(sample))
      relief.look()
      arrivals.isStorm = count % stormEverySamples < stormSamples && count >= stormEverySamples
      if (count % reloadEverySamples === 0) {
        const status = await server.reload().catch(() => 'no answer')
        reloads[status] = (reloads[status] ?? 0) + 1
      }
    }
    arrivals.end()
    await until(() => clients.underWay === 0, clientDeadlineMs + 1_000)
    watching.end()
    clients.dispose()
    await pause(1_500)
    const idle = await takeSample(pid, server.controlUrl, (performance.now() - startedAt) / 1_000, clients.counts)
    log(`idle: ${describe(idle)}`)
    const exitedWhenAsked = await stops(server)
    const { counts } = clients
    const { events: viewerEvents, reconnects: viewerReconnects } = watching
    const verdict = judge({ samples, idle, hanging: counts.hanging, exitedWhenAsked })
    return { minutes, rate, endRate: arrivals.rate, counts, viewerEvents, viewerReconnects, reloads, samples, idle, verdict }
  } finally {
    arrivals.end()
    watching.end()
    clients.dispose()
  }
}

/** Half of the requests that were answered per second when more came than could be. */
async function halfLoad(clients: Clients, arrivals: Arrivals): Promise<number> {
  arrivals.isFair = true
  arrivals.rate = maxRate * 2
  const ended = (): number => Object.values(clients.counts.answered).reduce((sum, count) => sum + count, 0)
  await pause(trialMs / 2) // until the compiler has settled
  const before = ended()
  await pause(trialMs)
  arrivals.rate = 0
  arrivals.isFair = false
  clients.counts.heldBack = 0 // it was meant to be too much
  await until(() => clients.underWay === 0, clientDeadlineMs)
  return Math.max(50, Math.min(maxRate, Math.round((((ended() - before) / trialMs) * 1_000) / 2 / 50) * 50))
}

/** Lowers the rate while more is asked for than client and server can do together on this machine. */
class Relief {
  private readonly clients: Clients
  private readonly arrivals: Arrivals
  private readonly log: (line: string) => void
  private sent: number
  private heldBack: number

  constructor(clients: Clients, arrivals: Arrivals, log: (line: string) => void) {
    this.clients = clients
    this.arrivals = arrivals
    this.log = log
    this.sent = clients.counts.sent
    this.heldBack = clients.counts.heldBack
  }

  look(): void {
    const { counts } = this.clients
    const heldBack = counts.heldBack - this.heldBack
    const asked = counts.sent - this.sent + heldBack
    this.sent = counts.sent
    this.heldBack = counts.heldBack
    const { underWay } = this.clients
    if (heldBack <= asked * maxHeldBack && underWay <= Math.max(100, this.arrivals.rate * maxMeanSeconds)) return
    this.arrivals.rate = Math.max(50, Math.round(this.arrivals.rate * 0.7))
    this.log(`${underWay} requests under way, ${heldBack} of ${asked} held back: ${this.arrivals.rate} per second from now on`)
  }
}

async function until(holds: () => boolean, atMostMs: number): Promise<void> {
  const endsAt = performance.now() + atMostMs
  while (!holds() && performance.now() < endsAt) await pause(50)
}

async function stops({ child }: SoakServer): Promise<boolean> {
  if (child.hasEnded) return false
  child.signal('SIGTERM')
  await until(() => child.hasEnded, 15_000)
  return child.hasEnded
}

function describe({
  at,
  residentMiB,
  heapMiB,
  descriptors,
  inFlight,
  upstreamOpen,
  metricsMs,
  machineLoad,
  sent,
  hanging,
}: SoakSample): string {
  const heap = heapMiB === null ? '-' : heapMiB.toFixed(0)
  return `${at} s: RSS ${residentMiB.toFixed(0)} MiB, heap ${heap} MiB, descriptors ${descriptors}, in flight ${inFlight ?? '-'}, upstream ${upstreamOpen ?? '-'}, metrics in ${metricsMs} ms, machine load ${machineLoad.toFixed(1)}, sent ${sent}, hanging ${hanging}`
}
