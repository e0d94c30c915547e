import type { SoakSample } from './sample.ts'

/** What a soak has to show at its end. */
export interface SoakEnd {
  readonly samples: readonly SoakSample[]
  /** Taken when all clients were gone. */
  readonly idle: SoakSample
  readonly hanging: number
  /** Undefined when it ended before it was asked to. */
  readonly exitedWhenAsked: boolean
}

export interface Verdict {
  readonly passed: boolean
  readonly reasons: readonly string[]
  /** Whether it ran long enough for memory and descriptors to say anything. */
  readonly judgedGrowth: boolean
  /** Of the resident memory, after warm-up. */
  readonly trendMiBPerHour: number
  /** Lower quartile of the second half after warm-up, less that of the first half: what comes and goes with the load does not count. */
  readonly descriptorGrowth: number
}

/** Share of the run in which memory may still settle. */
const warmUp = 0.3
/** Seconds of samples after warm-up without which growth is not judged. */
const leastJudgedSeconds = 300
/** Growth over the judged time that is put down to noise. */
const tolerance = { residentShare: 0.08, residentMiB: 12, descriptorShare: 0.2, descriptors: 20 }

export function judge({ samples, idle, hanging, exitedWhenAsked }: SoakEnd): Verdict {
  const judged = samples.slice(Math.floor(samples.length * warmUp))
  const seconds = (judged.at(-1)?.at ?? 0) - (judged[0]?.at ?? 0)
  const judgedGrowth = seconds >= leastJudgedSeconds
  const trendMiBPerHour = slope(judged.map(({ at, residentMiB }) => [at / 3_600, residentMiB]))
  const half = Math.ceil(judged.length / 2)
  const descriptorsAtFirst = lowerQuartile(judged.slice(0, half).map(({ descriptors }) => descriptors))
  const descriptorGrowth = lowerQuartile(judged.slice(half).map(({ descriptors }) => descriptors)) - descriptorsAtFirst
  const reasons: string[] = []
  if (judgedGrowth) {
    const grownMiB = (trendMiBPerHour * seconds) / 3_600
    const allowedMiB = Math.max(tolerance.residentMiB, tolerance.residentShare * mean(judged.map(({ residentMiB }) => residentMiB)))
    const allowedDescriptors = Math.max(tolerance.descriptors, tolerance.descriptorShare * descriptorsAtFirst)
    if (grownMiB > allowedMiB) reasons.push(`resident memory grew by ${grownMiB.toFixed(0)} MiB in ${(seconds / 60).toFixed(0)} minutes`)
    if (descriptorGrowth > allowedDescriptors) reasons.push(`open descriptors grew by ${descriptorGrowth.toFixed(0)}`)
  }
  if (hanging > 0) reasons.push(`${hanging} clients had no answer by their deadline`)
  if ((idle.inFlight ?? 0) !== 0) reasons.push(`${idle.inFlight} requests are under way although every client has gone`)
  if ((idle.upstreamOpen ?? 0) !== 0) reasons.push(`${idle.upstreamOpen} upstream requests are open although every client has gone`)
  if (!exitedWhenAsked) reasons.push('the server did not end as it should')
  return { passed: reasons.length === 0, reasons, judgedGrowth, trendMiBPerHour, descriptorGrowth }
}

function lowerQuartile(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 4)] ?? 0
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}

/** Least squares. */
function slope(points: readonly (readonly [number, number])[]): number {
  const meanX = mean(points.map(([x]) => x))
  const meanY = mean(points.map(([, y]) => y))
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  return spread === 0 ? 0 : points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread
}
