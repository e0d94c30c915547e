import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bulkhead } from '../patterns/bulkhead/index.ts'
import { circuitBreaker } from '../patterns/circuit-breaker/index.ts'
import { fallback } from '../patterns/fallback/index.ts'
import { retry } from '../patterns/retry/index.ts'
import { timeout } from '../patterns/timeout/index.ts'
import { pipeline } from '../core/pipeline.ts'
import type { PolicyEvent } from '../core/events.ts'
import type { Scenario, SimulatedDependency } from './scenario.ts'
import { simulate, type PipelineFactory, type SimulationEvent } from './simulate.ts'
import { concurrencyScenarios } from './scenarios/concurrency.ts'
import { outage, retryScenarios } from './scenarios/failures.ts'

const server: SimulatedDependency = { workers: 16, service: { kind: 'lognormal', meanMs: 40, sigma: 0.5 } }
const base: Scenario = { name: 'test', title: 'for a test', durationMs: 20_000, load: { rate: 240, deadlineMs: 1_000 }, dependency: server }

const named = (name: string): Scenario => concurrencyScenarios.find((scenario) => scenario.name === name)!

describe('simulate', () => {
  it('116: the same seed brings the same events to the last one, those of the policies included', async () => {
    const logOf = async (seed: number): Promise<readonly (SimulationEvent | PolicyEvent)[]> => {
      const log: (SimulationEvent | PolicyEvent)[] = []
      const make: PipelineFactory = ({ clock, random, client }) => {
        const name = `client-${client}`
        const breaker = circuitBreaker({
          name,
          failureThreshold: 5,
          failureWindow: '10s',
          openFor: '2s',
          openForJitter: 0.5,
          clock,
          random,
        })
        const again = retry({ name, maxAttempts: 3, initialDelay: '50ms', clock, random })
        breaker.on((event) => log.push(event))
        again.on((event) => log.push(event))
        return pipeline(again, breaker, timeout({ after: '500ms', clock }))
      }
      await simulate({ ...outage, clients: 3, durationMs: 60_000 }, make, { seed, onEvent: (event) => log.push(event) })
      return log
    }
    const [first, second, other] = [await logOf(7), await logOf(7), await logOf(8)]
    expect(first.some(({ type }) => type === 'circuit.opened')).toBe(true)
    expect(first.some(({ type }) => type === 'retry.scheduled')).toBe(true)
    expect(second).toEqual(first)
    expect(other).not.toEqual(first)
  })

  it('every request ends in exactly one outcome, whatever the pipeline and the world', async () => {
    const pipelines: PipelineFactory[] = [
      ({ clock }) => bulkhead({ maxConcurrent: 4, maxQueued: 3, maxWait: '100ms', clock }),
      ({ clock, random }) => pipeline(retry({ maxAttempts: 3, initialDelay: '20ms', clock, random }), timeout({ after: '200ms', clock })),
      ({ clock, random }) => circuitBreaker({ failureThreshold: 3, failureWindow: '10s', openFor: '1s', clock, random }),
      ({ clock }) => pipeline(fallback('instead'), timeout({ after: '150ms', clock })),
    ]
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          seed: fc.nat(1_000),
          which: fc.nat(pipelines.length - 1),
          rate: fc.integer({ min: 1, max: 120 }),
          workers: fc.integer({ min: 1, max: 8 }),
          failureRatio: fc.double({ min: 0, max: 1, noNaN: true }),
          hangRatio: fc.double({ min: 0, max: 0.5, noNaN: true }),
          retries: fc.nat(2),
          passDeadline: fc.boolean(),
          stopsOnCancel: fc.constantFrom('never' as const, 'queued' as const, 'always' as const),
        }),
        async ({ seed, which, rate, workers, failureRatio, hangRatio, retries, passDeadline, stopsOnCancel }) => {
          const ends = new Map<number, number>()
          const world: Scenario = {
            ...base,
            durationMs: 3_000,
            load: { rate, deadlineMs: 400, retries, passDeadline },
            dependency: { ...server, workers, maxQueued: 20, failureRatio, hangRatio, hangsForMs: 5_000, stopsOnCancel },
          }
          const onEvent = (event: SimulationEvent): void => {
            if (event.type === 'request.ended') ends.set(event.request, (ends.get(event.request) ?? 0) + 1)
          }
          const report = await simulate(world, pipelines[which], { seed, onEvent })
          const { outcomes, offered, dependencies } = report
          expect(Object.values(outcomes).reduce((sum, count) => sum + count, 0)).toBe(offered)
          expect(outcomes.unfinished).toBe(0)
          expect(ends.size).toBe(offered)
          expect([...ends.values()].every((count) => count === 1)).toBe(true)
          expect(report.bins.reduce((sum, bin) => sum + bin.offered, 0)).toBe(offered)
          const { calls, answered, failed, turnedAway, stopped, unended } = dependencies[0]!
          expect(answered + failed + turnedAway + stopped + unended).toBe(calls)
          expect(answered).toBeGreaterThanOrEqual(outcomes.answered)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('obeys Little’s law: calls in flight are arrivals per ms times the time each spends', async () => {
    const patient = { ...base, durationMs: 60_000, load: { rate: 360 } }
    const { dependencies, endedAtMs } = await simulate(patient, undefined, { seed: 3 })
    const { calls, meanInFlight, meanTimeMs, unended, utilisation } = dependencies[0]!
    expect(unended).toBe(0)
    expect(meanInFlight).toBeCloseTo((calls / endedAtMs) * meanTimeMs!, 6)
    expect(utilisation).toBeGreaterThan(0.87) // 360 of 400 per second
    expect(utilisation).toBeLessThan(0.93)
  })

  it('agrees with queueing theory: one worker at half its capacity keeps a call twice its service time (M/M/1)', async () => {
    const queue = {
      ...base,
      durationMs: 2_000_000,
      load: { rate: 50 },
      dependency: { workers: 1, service: { kind: 'exponential', meanMs: 10 } },
    } as const
    const { latency } = await simulate(queue, undefined, { seed: 5 })
    expect(latency!.meanMs).toBeGreaterThan(19)
    expect(latency!.meanMs).toBeLessThan(21)
  })

  it('gives every pipeline the same requests and the same work', async () => {
    const arrivals = async (make?: PipelineFactory): Promise<readonly number[]> => {
      const times: number[] = []
      await simulate(base, make, { onEvent: (event) => event.type === 'request.arrived' && times.push(event.atMs) })
      return times
    }
    expect(await arrivals(({ clock }) => bulkhead({ maxConcurrent: 1, clock }))).toEqual(await arrivals())
  })

  it('a request asks for the same work although others before it were refused', async () => {
    const ends = async (make?: PipelineFactory): Promise<ReadonlyMap<number, number>> => {
      const answered = new Map<number, number>()
      const onEvent = (event: SimulationEvent): void => {
        if (event.type === 'request.ended' && event.outcome === 'answered') answered.set(event.request, event.atMs)
      }
      await simulate({ ...base, dependency: { ...server, workers: Infinity } }, make, { onEvent })
      return answered
    }
    const [all, some] = [await ends(), await ends(({ clock }) => bulkhead({ maxConcurrent: 6, clock }))]
    expect(some.size).toBeGreaterThan(1_000)
    expect(some.size).toBeLessThan(all.size)
    for (const [request, atMs] of some) expect(all.get(request)).toBe(atMs)
  })

  it.each([
    ['always', 0.1],
    ['never', 1],
  ] as const)('a dependency that stops cancelled work %s is busy for %f of the time', async (stopsOnCancel, share) => {
    const patience: Scenario = {
      ...base,
      load: { rate: 1, arrivals: 'regular', deadlineMs: 100, passDeadline: true },
      dependency: { workers: 1, service: { kind: 'constant', ms: 10_000 }, stopsOnCancel },
    }
    const { dependencies, outcomes } = await simulate(patience)
    expect(Math.abs(dependencies[0]!.utilisation! - share)).toBeLessThan(0.1)
    expect(outcomes.timedOut).toBe(19)
    expect(dependencies[0]!.stopped).toBe(stopsOnCancel === 'always' ? 19 : 0)
  })

  it('e.1: without protection a server at twice its load answers nobody in time once its queue is built', async () => {
    const report = await simulate(named('overload'))
    expect(report.phases[0]!.goodput).toBeLessThan(0.001)
  })

  it('e.1: with a fixed limit of a quarter above its workers it answers half, at 43 ms; with twice that, at 93 ms', async () => {
    const fixed = async (maxConcurrent: number): Promise<readonly [number, number]> => {
      const { phases } = await simulate(named('overload'), ({ clock }) => bulkhead({ maxConcurrent, clock }))
      return [phases[0]!.goodput, phases[0]!.latency!.p50Ms]
    }
    const [once, twice] = [await fixed(20), await fixed(40)]
    expect(Math.abs(once[0] - 0.5)).toBeLessThan(0.01)
    expect(Math.abs(once[1] - 43)).toBeLessThan(2)
    expect(Math.abs(twice[0] - 0.499)).toBeLessThan(0.01)
    expect(Math.abs(twice[1] - 93)).toBeLessThan(3)
  })

  it('e.1: retries keep an overload alive long after its cause has gone', async () => {
    const storm = named('retry storm')
    expect((await simulate(storm)).phases[0]!.goodput).toBeLessThan(0.001)
    expect((await simulate(storm, ({ clock }) => bulkhead({ maxConcurrent: 20, clock }))).phases[0]!.goodput).toBeGreaterThan(0.995)
  })

  it('e.4: two plain retries of a dead dependency are three times its load; at 50 % failures they save three of four', async () => {
    const plain: PipelineFactory = ({ clock, random }) =>
      retry({ maxAttempts: 3, initialDelay: '10ms', retryOn: () => true, clock, random })
    const at = async (ratio: string): Promise<readonly [number, number]> => {
      const { phases } = await simulate(
        retryScenarios.find(({ name }) => name.startsWith(`${ratio} % `))!,
        plain,
      )
      return [phases[0]!.goodput, phases[0]!.attemptsPerRequest]
    }
    expect(await at('100')).toEqual([0, 3])
    const [goodput, load] = await at('50')
    expect(Math.abs(goodput - 0.877)).toBeLessThan(0.01)
    expect(Math.abs(load - 1.75)).toBeLessThan(0.02)
  })

  it('tells what a fallback gave from what the dependency answered', async () => {
    const dead = { ...base, dependency: { ...server, failureRatio: 1 } }
    const { outcomes, goodput } = await simulate(dead, () => fallback('instead'))
    expect(outcomes.substituted).toBeGreaterThan(4_000)
    expect(outcomes.answered).toBe(0)
    expect(goodput).toBe(0)
  })

  it('gives each client a pipeline of its own, and hands its clock, key and priority to it', async () => {
    const seen = new Set<string>()
    const world: Scenario = { ...base, clients: 4, load: { rate: 200, priority: 'high', clients: [1, 2] }, dependency: [server, server] }
    const clients: number[] = []
    const report = await simulate(world, ({ client, clock }) => {
      clients.push(client)
      const inner = bulkhead({ maxConcurrent: 500, clock })
      return {
        tryExecute: (run, options) => {
          seen.add(`${client} ${options?.key} ${options?.priority}`)
          return inner.tryExecute(run, options)
        },
      }
    })
    expect(clients).toEqual([0, 1, 2, 3])
    expect([...seen].toSorted()).toEqual(['1 shard-0 high', '1 shard-1 high', '2 shard-0 high', '2 shard-1 high'])
    expect(Object.keys(report.byPriority)).toEqual(['high'])
  })

  it('a pause makes workers stand still for its length', async () => {
    const halted: Scenario = {
      ...base,
      load: { rate: 1, arrivals: 'regular' },
      durationMs: 2_500,
      dependency: { workers: 1, service: { kind: 'constant', ms: 100 }, pauses: [{ fromMs: 1_050, toMs: 1_400 }] },
    }
    const report = await simulate(halted)
    expect(report.offered).toBe(2)
    expect(report.latency!.maxMs).toBeCloseTo(450, 6)
    expect(report.latency!.p50Ms).toBeCloseTo(100, 6)
  })

  it.each([
    [
      'no workers',
      { dependency: { ...server, workers: 0 } },
      /test: option 'workers' must be a whole number from 1 up, or Infinity, got 0/,
    ],
    ['a distribution that is none', { dependency: { ...server, service: { kind: 'gauss' } } }, /option 'service'/],
    [
      'pauses that overlap',
      { dependency: { ...server, pauses: [{ fromMs: 5, toMs: 3 }] } },
      /pauses\[0\]\.toMs' must be more than 5, got 3/,
    ],
    [
      'a client that does not exist',
      { load: { rate: 1, clients: [0, 1] } },
      /load\.clients\[1\]' must be a whole number from 0 to 0, got 1/,
    ],
    ['an option nobody knows', { dependancy: server }, /there is no option 'dependancy' \(did you mean 'dependency'\?\)/],
    ['no load', { load: [] }, /option 'load' must be at least one load/],
  ])('refuses a scenario with %s', async (_what, change, message) => {
    await expect(simulate({ ...base, ...change } as Scenario)).rejects.toThrow(message)
  })
})
