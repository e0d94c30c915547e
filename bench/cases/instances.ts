import { Effect } from 'effect'
import * as mollitia from 'mollitia'
import { circuitBreaker, circuitBreakers } from 'holdfast'
import type { Case, FreshContestant, Role } from '../case.ts'
import { cockatielBreaker } from '../contestants/cockatiel.ts'
import { names, swallow } from '../contestants/common.ts'
import { effectBreaker, effectRatePolicy, effectWork } from '../contestants/effect.ts'
import { ourBreaker } from '../contestants/holdfast.ts'
import { mollitiaBreaker } from '../contestants/mollitia.ts'
import { opossumBreaker } from '../contestants/opossum.ts'
import { work } from '../contestants/work.ts'
import { bytesEach, collectOnDemand, idlePercent, nsToMake } from '../fresh/memory.ts'

/** A breaker and a way to call through it. */
interface Instance {
  readonly breaker: unknown
  call(run: () => Promise<unknown>): Promise<unknown>
}

interface Kind {
  readonly name: string
  readonly role: Role
  /** opossum's timers would take minutes with more. */
  readonly count?: number
  readonly prepare: () => Promise<(index: number) => Instance> | ((index: number) => Instance)
}

const many = 100_000

const kinds: readonly Kind[] = [
  {
    name: 'holdfast',
    role: 'ours',
    prepare: () => () => {
      const breaker = ourBreaker()
      return { breaker, call: (run) => breaker.execute(run) }
    },
  },
  {
    name: 'holdfast, consecutive failures',
    role: 'ours',
    prepare: () => () => {
      const breaker = circuitBreaker({ consecutiveFailures: 5, openFor: '60s' })
      return { breaker, call: (run) => breaker.execute(run) }
    },
  },
  {
    name: 'holdfast, keyed',
    role: 'ours',
    prepare: () => {
      const registry = circuitBreakers({ maxKeys: 2 * many, failureThreshold: 5, failureWindow: '60s', openFor: '60s' })
      return (index) => {
        const breaker = registry.get(`service-${index}`)
        return { breaker, call: (run) => breaker.execute(run) }
      }
    },
  },
  {
    name: names.cockatiel,
    role: 'peer',
    prepare: () => () => {
      const breaker = cockatielBreaker()
      return { breaker, call: (run) => breaker.execute(run) }
    },
  },
  {
    name: names.mollitia,
    role: 'peer',
    prepare: () => () => {
      const breaker = new mollitia.Circuit({ options: { modules: [mollitiaBreaker()] } })
      return { breaker, call: (run) => breaker.fn(run).execute() }
    },
  },
  effectKind(`${names.effect}, consecutive failures (a key)`, () => effectBreaker()),
  effectKind(`${names.effect}, rate of the last 10 (a key)`, () => effectBreaker(effectRatePolicy)),
  {
    name: `${names.opossum} (10,000 of them)`,
    role: 'peer',
    count: 10_000,
    prepare: () => () => {
      const breaker = opossumBreaker()
      return { breaker, call: (run) => (run === fail ? Promise.reject(new Error('not called')) : breaker.fire()) }
    },
  },
]

/** Effect keeps an entry per key in a store; nobody holds an object. */
function effectKind(name: string, make: () => ReturnType<typeof effectBreaker>): Kind {
  return {
    name,
    role: 'peer',
    prepare: async () => {
      const breaker = await make()
      await Effect.runPromise(breaker.execute(effectWork, { key: 'first' }))
      return (index) => {
        const key = `service-${index}`
        return { breaker: key, call: (run) => Effect.runPromise(breaker.execute(Effect.tryPromise(run), { key })) }
      }
    },
  }
}

async function fail(): Promise<never> {
  throw failure
}
const failure = new Error('down')

/** Eight successes and two failures. */
async function use({ call }: Instance): Promise<void> {
  for (let index = 0; index < 10; index++) await call(index % 5 === 4 ? fail : work).catch(swallow)
}

function each(measure: (count: number, make: (index: number) => Instance) => Promise<number>): readonly FreshContestant[] {
  return kinds.map(({ name, role, count, prepare }) => ({
    name,
    role,
    measure: async () => measure(count ?? many, await prepare()),
  }))
}

export const instances: readonly Case[] = [
  {
    kind: 'fresh',
    name: 'breaker-bytes-fresh',
    title: 'Memory of a circuit breaker after its first call',
    note: 'Of 100,000. An Effect breaker keeps one entry per key in a store; the others are objects that a caller holds.',
    unit: 'bytes',
    page: 'circuit-breaker',
    gates: [],
    nodeOptions: collectOnDemand,
    contestants: () =>
      each((count, make) =>
        bytesEach(count, async (index) => {
          const { breaker, call } = make(index)
          await call(work)
          return breaker
        }),
      ),
  },
  {
    kind: 'fresh',
    name: 'breaker-bytes-used',
    title: 'Memory of a circuit breaker after eight successes and two failures',
    note: 'The first of ours counts failures within a minute. opossum calls only the function it was made for: its failures are left out.',
    unit: 'bytes',
    page: 'circuit-breaker',
    gates: [
      { kind: 'must', ours: 'holdfast', versus: `${names.effect}, rate`, atMost: 1 },
      { kind: 'must', ours: 'holdfast, consecutive failures', versus: `${names.effect}, consecutive`, atMost: 1 },
    ],
    nodeOptions: collectOnDemand,
    contestants: () =>
      each((count, make) =>
        bytesEach(count, async (index) => {
          const instance = make(index)
          await use(instance)
          return instance.breaker
        }),
      ),
  },
  {
    kind: 'fresh',
    name: 'breaker-create',
    title: 'Making a circuit breaker',
    note: 'CPU time, garbage collection included. Effect makes nothing before the first call, which is therefore part of it.',
    unit: 'ns',
    page: 'circuit-breaker',
    gates: [],
    contestants: () =>
      each((count, make) =>
        nsToMake(count, (index) => {
          const { breaker, call } = make(index)
          return typeof breaker === 'string' ? call(work) : breaker
        }),
      ),
  },
  {
    kind: 'fresh',
    name: 'breaker-idle',
    title: 'CPU that 100,000 idle circuit breakers take, in % of one core',
    note: 'Over four seconds, after one call through each. An empty process takes as much as its row says.',
    unit: '%',
    page: 'circuit-breaker',
    gates: [{ kind: 'must', versus: 'nothing', atMost: 0.2 }],
    nodeOptions: collectOnDemand,
    contestants: () => [
      { name: 'an empty process', role: 'bare', measure: () => idlePercent(0, () => undefined) },
      ...each((count, make) =>
        idlePercent(count, async (index) => {
          const { breaker, call } = make(index)
          await call(work)
          return breaker
        }),
      ),
    ],
  },
]
