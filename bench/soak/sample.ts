import { loadavg } from 'node:os'
import { descriptors, cpuMs, residentMiB } from '../processes/process-figures.ts'

/** The state of the server at one moment. */
export interface SoakSample {
  /** Seconds since the load began. */
  readonly at: number
  readonly residentMiB: number
  readonly heapMiB: number | null
  readonly descriptors: number
  /** Requests of clients under way, as the server counts them. */
  readonly inFlight: number | null
  /** Requests to upstreams under way. */
  readonly upstreamOpen: number | null
  /** How long the control listener took to answer: longer than some ms is a busy event loop, there or here. */
  readonly metricsMs: number
  /** Processes that wanted to run, mean of the last minute: above the number of processors, everything on the machine waits. */
  readonly machineLoad: number
  readonly cpuSeconds: number
  readonly sent: number
  readonly hanging: number
}

export async function takeSample(
  pid: number,
  controlUrl: string,
  at: number,
  counts: { readonly sent: number; readonly hanging: number },
): Promise<SoakSample> {
  const askedAt = performance.now()
  const page = await fetch(`${controlUrl}/metrics`, { signal: AbortSignal.timeout(5_000) }).then(
    (response) => response.text(),
    () => '',
  )
  const metricsMs = Math.round(performance.now() - askedAt)
  const heap = valueOf(page, 'nodejs_heap_size_used_bytes')
  return {
    at: Math.round(at),
    residentMiB: residentMiB(pid),
    heapMiB: heap === null ? null : heap / 1_048_576,
    descriptors: descriptors(pid),
    inFlight: valueOf(page, 'holdfast_gateway_requests_in_flight'),
    upstreamOpen: valueOf(page, 'holdfast_gateway_upstream_requests_open'),
    metricsMs,
    machineLoad: loadavg()[0] ?? 0,
    cpuSeconds: cpuMs(pid) / 1_000,
    sent: counts.sent,
    hanging: counts.hanging,
  }
}

/** The sum of a metric's series on a Prometheus page; null when it has none. */
export function valueOf(page: string, metric: string): number | null {
  const lines = page.split('\n').filter((line) => line.startsWith(`${metric} `) || line.startsWith(`${metric}{`))
  if (lines.length === 0) return null
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}
