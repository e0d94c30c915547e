import { fakeClock } from 'holdfast/testing'
import { expect, it } from 'vitest'
import { faultControl, type FaultControl } from './fault-control.ts'
import type { FaultScript } from './fault-script.ts'
import { formatFault, type FaultState, type ServiceName } from './faults.ts'

const script: FaultScript = {
  name: 'script',
  phases: [
    { name: 'calm', title: 'calm', durationMs: 1_000, faults: {} },
    { name: 'slow', title: 'slow', durationMs: 1_000, faults: { llm: { kind: 'slow', factor: 2 } } },
    { name: 'after', title: 'calm', durationMs: 1_000, faults: {} },
  ],
}

function controlled(refuses: () => boolean = () => false): { clock: ReturnType<typeof fakeClock>; told: string[]; control: FaultControl } {
  const clock = fakeClock()
  const told: string[] = []
  const setFault = async (service: ServiceName, fault: FaultState): Promise<void> => {
    if (refuses()) throw new Error('no answer')
    told.push(`${service} ${formatFault(fault)}`)
  }
  return { clock, told, control: faultControl({ fleet: { setFault }, script, loops: false, clock }) }
}

it('tells the services what changes, once', async () => {
  const { told, control } = controlled()
  for (const elapsedMs of [0, 500, 1_000, 1_500, 2_000, 2_500]) await control.follow(elapsedMs)
  expect(told).toEqual(['llm slow:2', 'llm none'])
})

it('a fault set by hand overrules the script until it is released', async () => {
  const { told, control } = controlled()
  await control.set('llm', { kind: 'stall', share: 1 })
  await control.follow(1_000)
  expect(control.active()).toEqual([{ service: 'llm', fault: { kind: 'stall', share: 1 }, source: 'manual' }])
  await control.release('llm')
  expect(told).toEqual(['llm stall', 'llm slow:2'])
})

it('"none" by hand keeps the script’s fault away', async () => {
  const { told, control } = controlled()
  await control.set('llm', undefined)
  await control.follow(1_000)
  expect(told).toEqual([])
  expect(control.active()).toEqual([])
})

it('a fault set for a time ends by itself and says when it will', async () => {
  const { clock, told, control } = controlled()
  await control.set('search', { kind: 'cut', share: 1 }, 300)
  expect(control.active()[0]).toMatchObject({ service: 'search', until: clock.wallNow() + 300 })
  clock.tick(300)
  await control.follow(300)
  expect(told).toEqual(['search cut', 'search none'])
})

it('a service that could not be told is told the next time', async () => {
  let refuses = true
  const { told, control } = controlled(() => refuses)
  await control.follow(1_000)
  refuses = false
  await control.follow(1_250)
  expect(told).toEqual(['llm slow:2'])
})

it('what was in force is remembered with its times for two minutes', async () => {
  const { clock, control } = controlled()
  const began = clock.wallNow()
  await control.follow(1_000)
  clock.tick(1_000)
  await control.follow(2_000)
  expect(control.segments()).toEqual([
    { service: 'llm', kind: 'slow', text: 'slow × 2', source: 'script', from: began, until: began + 1_000 },
  ])
  clock.tick(120_000)
  expect(control.segments()).toEqual([])
})
