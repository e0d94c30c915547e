import { cpuMs, residentMiB } from '../processes/process-figures.ts'
import type { Contestant } from './contestants.ts'
import type { LoadGenerator } from './load.ts'
import { emptySamples, firstEventMs, median, type Samples } from './sample.ts'
import { shuffled } from './shuffle.ts'

export interface MeasureOptions {
  readonly rounds: number
  /** Length of one slice of load, in seconds. */
  readonly seconds: number
  readonly connections: number
  readonly seed: number
  readonly onRound?: (round: number) => void
}

export interface Measured {
  readonly contestant: Contestant
  readonly samples: Samples
}

const eventsPerRound = 5

/**
 * Measures all contestants in turns, in another order each round, so that they share the machine's weather. All of them stay up
 * for the whole run; only one gets load at a time.
 */
export async function measure(subjects: readonly Contestant[], load: LoadGenerator, options: MeasureOptions): Promise<readonly Measured[]> {
  const { rounds, seconds, connections, seed } = options
  const runs = []
  for (const contestant of subjects) runs.push({ contestant, running: await contestant.start(), samples: emptySamples() })
  for (const { running } of runs) await load.run(`${running.url}/item`, connections, seconds) // until the compiler has settled
  for (let round = 0; round < rounds; round++) {
    options.onRound?.(round)
    for (const { running, samples } of shuffled(runs, seed + round)) {
      const { child, url } = running
      const before = child === undefined ? 0 : cpuMs(child.pid)
      const startedAt = performance.now()
      const busy = await load.run(`${url}/item`, connections, seconds)
      const elapsedMs = performance.now() - startedAt
      if (child !== undefined) {
        samples.cpuMicros.push(((cpuMs(child.pid) - before) * 1_000) / busy.requests)
        samples.residentMiB = Math.max(samples.residentMiB, residentMiB(child.pid))
      }
      samples.requestsPerSecond.push((busy.requests * 1_000) / elapsedMs)
      samples.p50Ms.push(busy.p50Ms)
      samples.p99Ms.push(busy.p99Ms)
      const alone = await load.run(`${url}/item`, 1, 1)
      samples.aloneP50Ms.push(alone.p50Ms)
      samples.failed += busy.failed + alone.failed
      const events: number[] = []
      for (let count = 0; count < eventsPerRound; count++) events.push(await firstEventMs(url))
      samples.firstEventMs.push(median(events))
    }
  }
  return runs.map(({ contestant, samples }) => ({ contestant, samples }))
}
