import { describe, expect, it } from 'vitest'
import { adaptiveConcurrency } from 'holdfast'
import { concurrencyScenarios, simulate, type SimulationReport } from 'holdfast/testing'

async function simulated(name: string, seed: number): Promise<SimulationReport> {
  const scenario = concurrencyScenarios.find((one) => one.name === name)
  if (scenario === undefined) throw new Error(`no scenario ${name}`)
  return simulate(scenario, ({ clock, random }) => adaptiveConcurrency({ clock, random, shared: (scenario.clients ?? 1) > 1 }), { seed })
}

/** Share of requests to be answered in time at least, and half of them within so many ms. The best possible is in brackets. */
const wanted: readonly (readonly [scenario: string, phase: string, goodput: number, p50Ms: number])[] = [
  ['steady', 'steady', 0.995, 40], // [1, 36 ms]
  ['overload', 'overload', 0.48, 70], // [0.50, 43 ms]
  ['retry storm', 'after', 0.99, 45], // [1, 36 ms]
  ['slow server', 'slow', 0.5, 230], // [0.56, 128 ms]
  ['slow server', 'well again', 0.99, 45], // [1, 36 ms]
  ['harmless latency', 'first 30 s', 0.93, 260], // [1, 236 ms]
  ['harmless latency', 'later', 0.98, 260], // [1, 236 ms]
  ['bursts', 'bursts', 0.96, 80], // [1, 56 ms]
  ['stable timeout', 'after', 0.99, 45], // [1, 36 ms]
  ['long calls', 'steady', 0.95, 14_000], // [1, 9.7 s]
  ['slow drift', 'drift', 0.84, 130], // [0.90, 99 ms]
  ['twenty clients', 'all twenty', 0.3, 1_900], // [0.50, 141 ms]
  ['pauses', 'pauses', 0.95, 60], // [1, 44 ms]
]

describe('the probing limit in the simulator', () => {
  it.each(wanted)('%s, %s: at least %s answered in time, half of them within %s ms', async (scenario, phase, goodput, p50Ms) => {
    for (const seed of [1, 2]) {
      const { phases } = await simulated(scenario, seed)
      const figures = phases.find(({ name }) => name === phase)
      expect(figures?.goodput).toBeGreaterThan(goodput)
      expect(figures?.latency?.p50Ms).toBeLessThan(p50Ms)
    }
  })
})
