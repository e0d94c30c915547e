import fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'
import {
  bulkhead,
  circuitBreaker,
  fallback,
  pipeline,
  rateLimiter,
  retry,
  timeout,
  type Bulkhead,
  type Call,
  type CircuitBreaker,
  type PolicyLike,
  type RateLimiter,
} from 'holdfast'
import { fakeClock, seededRandom, type FakeClock } from 'holdfast/testing'

const layerNames = ['fallback', 'total timeout', 'retry', 'breaker', 'limiter', 'bulkhead', 'attempt timeout'] as const
type LayerName = (typeof layerNames)[number]

/** What one call meets. */
const fates = ['value', 'promise', 'rejection', 'throw', 'hang', 'slow', 'stream', 'dying stream', 'aborted', 'deadline'] as const
type Fate = (typeof fates)[number]

interface Stage {
  readonly clock: FakeClock
  readonly breaker: CircuitBreaker
  readonly limiter: RateLimiter
  readonly places: Bulkhead
  readonly guarded: ReturnType<typeof pipeline>
  /** Ends work that has not ended by itself. */
  readonly unfinished: Set<() => void>
}

function stageOf(order: readonly LayerName[]): Stage {
  const clock = fakeClock()
  const breaker = circuitBreaker({
    failureThreshold: 4,
    failureWindow: '10s',
    openFor: 700,
    successThreshold: 1,
    probeTimeout: '1s',
    clock,
  })
  const limiter = rateLimiter({ limit: 12, window: '1s', maxQueued: 3, maxWait: 800, clock })
  const places = bulkhead({ maxConcurrent: 2, maxQueued: 3, maxWait: '2s', clock })
  const layers: Readonly<Record<LayerName, PolicyLike>> = {
    fallback: fallback({ value: 'instead', clock, when: (error) => (error as { code?: unknown }).code === 'ERR_BULKHEAD_FULL' }),
    'total timeout': timeout({ after: '3s', clock }),
    retry: retry({ maxAttempts: 3, initialDelay: 100, jitter: 'none', retryRefusals: true, clock, random: seededRandom(1) }),
    breaker,
    limiter,
    bulkhead: places,
    'attempt timeout': timeout({ after: 400, clock }),
  }
  return { clock, breaker, limiter, places, guarded: pipeline({ clock }, ...order.map((name) => layers[name])), unfinished: new Set() }
}

/** Work that meets its fate, and can be ended by force. */
function work({ clock, unfinished }: Stage, fate: Fate): (call: Call) => unknown {
  const open = (after: number | undefined, ending: 'resolve' | 'reject'): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const end = (): void => {
        unfinished.delete(end)
        if (ending === 'resolve') resolve('late')
        else reject(Object.assign(new Error('late'), { code: 'ECONNRESET' }))
      }
      unfinished.add(end)
      if (after !== undefined) clock.setTimer(end, after).unref()
    })
  return (call) => {
    switch (fate) {
      case 'value':
        return 'value'
      case 'promise':
        return Promise.resolve('promise')
      case 'rejection':
        return Promise.reject(Object.assign(new Error('down'), { code: 'ECONNRESET' }))
      case 'throw':
        throw new TypeError('a bug')
      case 'hang':
      case 'aborted':
      case 'deadline':
        return open(undefined, 'resolve')
      case 'slow':
        void call.signal.aborted // makes the signal
        return open(250, 'resolve')
      case 'stream':
        call.until(open(600, 'resolve'))
        return 'head'
      case 'dying stream':
        call.until(open(600, 'reject'))
        return Promise.resolve('head')
    }
  }
}

interface Play {
  readonly fate: Fate
  readonly afterMs: number
}

/** Plays calls one after another on the clock, then ends everything; answers what must hold whatever the order. */
async function play(order: readonly LayerName[], script: readonly Play[]): Promise<void> {
  const stage = stageOf(order)
  const { clock, breaker, limiter, places, guarded, unfinished } = stage
  const listeners = new Map<AbortSignal, number>()
  let settled = 0
  const outcomes: Promise<unknown>[] = []
  for (const { fate, afterMs } of script) {
    const controller = new AbortController()
    const signal = counted(controller.signal, listeners)
    const call = guarded.tryExecute(work(stage, fate), fate === 'deadline' ? { signal, deadline: 300 } : { signal })
    outcomes.push(call.then(() => settled++))
    if (fate === 'aborted') clock.setTimer(() => controller.abort(new Error('left')), 150).unref()
    clock.tick(afterMs)
    await clock.settle()
  }
  for (let step = 0; step < 12; step++) {
    clock.tick(500)
    await clock.settle()
  }
  while (unfinished.size > 0) {
    for (const end of unfinished) end()
    clock.tick(5_000) // what was retried after it ended runs into its limits
    await clock.settle()
  }
  clock.tick(20_000)
  await clock.settle()
  await Promise.all(outcomes)
  const circuit = breaker.status()
  expect({
    settled,
    running: places.status().running,
    queuedForPlace: places.status().queued,
    queuedForTurn: limiter.status().queued,
    probesRunning: circuit.probes?.running ?? 0,
    negative: [circuit.failures, circuit.successTotal, circuit.failureTotal, circuit.ignoredTotal, places.status().succeeded].some(
      (figure) => figure < 0,
    ),
    listeners: [...listeners.values()].filter((count) => count !== 0).length,
    timers: clock.timers.filter(({ ref }) => ref).length,
  }).toEqual({
    settled: script.length,
    running: 0,
    queuedForPlace: 0,
    queuedForTurn: 0,
    probesRunning: 0,
    negative: false,
    listeners: 0,
    timers: 0,
  })
  expect(await limiterAndPlacesStillWork(stage)).toEqual([true, true])
}

/** Nothing was lost: both places can be taken again at the same time. */
async function limiterAndPlacesStillWork({ places, clock }: Stage): Promise<readonly boolean[]> {
  const permits = [places.tryAcquire(), places.tryAcquire()]
  for (const permit of permits) if (!permit.refused) permit.ignore()
  await clock.settle()
  return permits.map(({ refused }) => !refused)
}

function counted(signal: AbortSignal, listeners: Map<AbortSignal, number>): AbortSignal {
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  listeners.set(signal, 0)
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners.set(signal, (listeners.get(signal) ?? 0) + 1)
    add(...args)
  }
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners.set(signal, (listeners.get(signal) ?? 0) - 1)
    remove(...args)
  }
  return signal
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

const unhandled: unknown[] = []
const onUnhandled = (error: unknown): void => void unhandled.push(error)
beforeEach(() => void process.on('unhandledRejection', onUnhandled))
afterEach(() => {
  process.off('unhandledRejection', onUnhandled)
  expect(unhandled.splice(0)).toEqual([])
})

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

it('P14: random scripts in random orders, too', { timeout: 300_000 }, async () => {
  const script = fc.array(fc.record({ fate: fc.constantFrom(...fates), afterMs: fc.constantFrom(0, 1, 60, 250, 900) }), {
    minLength: 1,
    maxLength: 25,
  })
  const order = fc.shuffledSubarray([...layerNames], { minLength: 1 })
  await fc.assert(fc.asyncProperty(order, script, play), { numRuns: 400, seed: 20_261_123 })
})
