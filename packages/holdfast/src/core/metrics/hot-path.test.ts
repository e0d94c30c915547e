import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { metricsRegistry } from './registry.ts'

/** Few enough that the collector would not run in between if each of them allocated something. */
const calls = 20_000

describe('39: writing through a handle allocates nothing', () => {
  const registry = metricsRegistry()
  const counter = registry.counter({ name: 'calls_total', help: 'Calls.', labelNames: ['policy'] }).labels({ policy: 'a' })
  const gauge = registry.gauge({ name: 'running', help: 'Running.' }).labels({})
  const histogram = registry.histogram({ name: 'wait_seconds', help: 'Wait.', exemplars: true }).labels({})
  const waits = Float64Array.from({ length: 1_024 }, (_, index) => 0.0001 * 1.013 ** index)

  it.each([
    ['counter.inc', () => counter.inc()],
    ['counter.add', () => counter.add(0.5)],
    ['gauge.set', (call: number) => gauge.set(call + 0.5)],
    ['gauge.inc and dec', () => (gauge.inc(), gauge.dec())],
    ['gauge.add', () => gauge.add(-0.25)],
    ['histogram.observe', (call: number) => histogram.observe(waits[call & 1_023] as number)],
  ] as const)('%s', (_name, write) => {
    expect(leastBytesPerCall(write)).toBeLessThan(1)
  })

  it('the measurement notices an allocation', () => {
    const kept: { value: number }[] = Array.from({ length: 16 }, () => ({ value: 0 }))
    expect(leastBytesPerCall((call) => void (kept[call & 15] = { value: call + 0.5 }))).toBeGreaterThan(8)
  })

  it('and all of it arrives', () => {
    const before = [counter.value, histogram.count] as const
    for (let call = 0; call < 1_000; call++) {
      counter.inc()
      histogram.observe(waits[call] as number)
    }
    expect([counter.value - before[0], histogram.count - before[1]]).toEqual([1_000, 1_000])
  })
})

/** Of several rounds, since the engine compiles and profiles in between. */
function leastBytesPerCall(write: (call: number) => void): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  let least = Infinity
  for (let round = 0; round < 30; round++) {
    collect()
    const before = process.memoryUsage().heapUsed
    for (let call = 0; call < calls; call++) write(call)
    least = Math.min(least, (process.memoryUsage().heapUsed - before) / calls)
  }
  return least
}
