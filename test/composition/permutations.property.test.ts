import { getEventListeners } from 'node:events'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { fates, layerNames, moreLayerNames, Stage, type Fate, type LayerName } from './stage.fixture.ts'
import { expectNoUnhandledRejection } from '../support/unhandled-rejections.ts'

expectNoUnhandledRejection()

interface Play {
  readonly fate: Fate
  /** From this call to the next one. */
  readonly afterMs: number
}

/** Plays calls one after another on the clock, then ends everything, and checks what must hold whatever the order. */
async function play(order: readonly LayerName[], script: readonly Play[], spied?: readonly boolean[]): Promise<void> {
  const stage = new Stage(order, spied)
  const { clock, guarded, places, signals, spies } = stage
  for (const { fate, afterMs } of script) {
    stage.play(fate)
    clock.tick(afterMs)
    await clock.settle()
  }
  await stage.end()
  const figures = figuresIn(guarded.status())
  expect({
    settled: stage.settled,
    spiesLeftWaiting: spies.filter(({ started, settledOnce }) => started !== settledOnce).length,
    settledTwice: spies.reduce((sum, { settledTwice }) => sum + settledTwice, 0),
    atWork: figures.filter(([name, figure]) => ['running', 'queued', 'waiting', 'abandoned'].includes(name) && figure !== 0),
    negative: figures.filter(([, figure]) => figure < 0),
    listeners: signals.flatMap((signal) => getEventListeners(signal, 'abort')).length,
    timers: clock.timers.filter(({ ref }) => ref).length,
  }).toEqual({ settled: script.length, spiesLeftWaiting: 0, settledTwice: 0, atWork: [], negative: [], listeners: 0, timers: 0 })
  // nothing was lost: all places can be taken again, and a call comes through
  const permits = [places.tryAcquire(), places.tryAcquire()]
  for (const permit of permits) if (!permit.refused) permit.ignore()
  expect(permits.map(({ refused }) => refused)).toEqual([false, false])
  expect(await guarded.tryExecute(() => 'value')).toEqual({ ok: true, value: 'value' })
}

/** All numbers of a status, by name, however deep. */
function figuresIn(status: object): readonly (readonly [string, number])[] {
  return Object.entries(status).flatMap(([name, figure]: [string, unknown]) => {
    if (typeof figure === 'number') return [[name, figure] as const]
    return typeof figure === 'object' && figure !== null ? figuresIn(figure) : []
  })
}

function* permutations<T>(items: readonly T[]): Generator<readonly T[]> {
  if (items.length <= 1) {
    yield items
    return
  }
  for (const [index, item] of items.entries()) {
    for (const rest of permutations(items.filter((_, other) => other !== index))) yield [item, ...rest]
  }
}

const everyFate: readonly Play[] = fates.map((fate, index) => ({ fate, afterMs: index % 3 === 0 ? 0 : 120 }))

it('P14: every order of the layers plays every fate without leaking a permit, a listener or a timer', { timeout: 300_000 }, async () => {
  let played = 0
  for (const order of permutations(layerNames)) {
    await play(order, everyFate).catch((error: unknown) => {
      throw new Error(`in the order ${order.join(' > ')}`, { cause: error })
    })
    played++
  }
  expect(played).toBe(5_040)
})

it('P14: random scripts in random orders, with or without flows between gates, too', { timeout: 300_000 }, async () => {
  const script = fc.array(fc.record({ fate: fc.constantFrom(...fates), afterMs: fc.constantFrom(0, 1, 60, 250, 900) }), {
    minLength: 1,
    maxLength: 30,
  })
  const order = fc.shuffledSubarray([...layerNames], { minLength: 1 })
  const spied = fc.array(fc.boolean(), { minLength: layerNames.length, maxLength: layerNames.length })
  await fc.assert(fc.asyncProperty(order, script, spied, play), { numRuns: 2_000, seed: 20_261_123 })
})

it(
  'P14: so do random orders of all layers there are: caches, hedges, shedders, throttlers and adaptive limits among them',
  { timeout: 300_000 },
  async () => {
    const script = fc.array(fc.record({ fate: fc.constantFrom(...fates), afterMs: fc.constantFrom(0, 1, 60, 250, 900) }), {
      minLength: 1,
      maxLength: 20,
    })
    const all = [...layerNames, ...moreLayerNames]
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(all, { minLength: 2 }), script, (order, plays) => play(order, plays)),
      { numRuns: 1_500, seed: 110 },
    )
  },
)
