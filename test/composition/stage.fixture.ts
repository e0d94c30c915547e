import {
  adaptiveConcurrency,
  bulkhead,
  cache,
  circuitBreaker,
  fallback,
  hedge,
  loadShedder,
  parts,
  pipeline,
  rateLimiter,
  retry,
  throttler,
  timeout,
  type Call,
  type CallOptions,
  type Flow,
  type PolicyLike,
} from 'holdfast'
import { fakeClock, seededRandom } from 'holdfast/testing'

export const layerNames = ['fallback', 'total timeout', 'retry', 'breaker', 'limiter', 'bulkhead', 'attempt timeout'] as const
/** Further layers, too many to try all orders of all of them. */
export const moreLayerNames = ['cache', 'load shedder', 'hedge', 'throttler', 'adaptive concurrency'] as const
export type LayerName = (typeof layerNames)[number] | (typeof moreLayerNames)[number]

/** What one call meets. */
export const fates = [
  'value',
  'promise',
  'rejection',
  'throw',
  'hang',
  'slow',
  'stream',
  'dying stream',
  'abort in the function',
  'abort while running',
  'abort while backing off',
  'abort while queued',
  'abort racing a grant',
  'deadline',
] as const
export type Fate = (typeof fates)[number]

function transient(): Error {
  return Object.assign(new Error('down'), { code: 'ECONNRESET' })
}

/** Counts what it starts and what it is told; stands between layers and changes nothing. */
export class Spy implements Flow {
  readonly kind = 'flow' as const
  started = 0
  settledOnce = 0
  settledTwice = 0
  readonly [parts] = this
  start(...[next, call, out]: Parameters<Flow['start']>): void {
    this.started++
    let settled = false
    next.start(call, {
      settle: (ok, value) => {
        if (settled) this.settledTwice++
        else this.settledOnce++
        settled = true
        out.settle(ok, value)
      },
    })
  }
}

/** One of each layer in one order, on one clock, with the work that calls do. */
export class Stage {
  readonly clock = fakeClock()
  readonly spies: readonly Spy[]
  readonly guarded: ReturnType<typeof pipeline>
  readonly places = bulkhead({ maxConcurrent: 2, maxQueued: 3, maxWait: '2s', clock: this.clock })
  /** Shared by all calls that nobody aborts, as the signal of a server's life is. */
  readonly longLived = new AbortController().signal
  readonly signals = [this.longLived]
  settled = 0
  /** Ends work that has not ended by itself. */
  private readonly unfinished = new Set<() => void>()

  /** `spied` says, by place, where a {@link Spy} stands beside those at both ends. */
  constructor(order: readonly LayerName[], spied: readonly boolean[] = []) {
    const layers = this.layers()
    const between = order.flatMap((name, index) => (spied[index] === true ? [new Spy(), layers[name]] : [layers[name]]))
    const all = [new Spy(), ...between, new Spy()]
    this.spies = all.filter((each) => each instanceof Spy)
    this.guarded = pipeline({ clock: this.clock }, ...all)
  }

  /** Starts a call that will meet its fate. */
  play(fate: Fate): void {
    const controller = fate.startsWith('abort') ? new AbortController() : undefined
    const leave = (): void => controller?.abort(new Error('left'))
    const signal = controller?.signal ?? this.longLived
    if (controller !== undefined) this.signals.push(signal)
    const held =
      fate === 'abort while queued' || fate === 'abort racing a grant' ? [this.places.tryAcquire(), this.places.tryAcquire()] : []
    // some calls ask for the same thing, so that a cache has them wait for one another
    const key = fate === 'slow' || fate === 'hang' || fate === 'abort while running' ? 'shared' : undefined
    const options: CallOptions = fate === 'deadline' ? { signal, deadline: 300 } : { signal, key }
    void this.guarded.tryExecute(this.work(fate, leave), options).then(() => this.settled++)
    if (controller === undefined) return
    this.clock
      .setTimer(() => {
        if (fate === 'abort while queued') leave()
        for (const permit of held) if (!permit.refused) permit.ignore()
        leave()
      }, 50)
      .unref()
  }

  /** Lets time pass, and ends what has not ended by itself. */
  async end(): Promise<void> {
    await this.pass(6_000)
    while (this.unfinished.size > 0) {
      for (const end of this.unfinished) end()
      await this.pass(5_000) // what was tried again after that runs into its limits
    }
    await this.pass(20_000)
  }

  private async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 500) {
      this.clock.tick(500)
      await this.clock.settle()
    }
  }

  private layers(): Readonly<Record<LayerName, PolicyLike>> {
    const { clock, places } = this
    const isFull = (error: unknown): boolean => (error as { code?: unknown }).code === 'ERR_BULKHEAD_FULL'
    return {
      fallback: fallback({ value: 'instead', clock, when: isFull }),
      'total timeout': timeout({ after: '3s', clock }),
      retry: retry({ maxAttempts: 3, initialDelay: 100, jitter: 'none', retryRefusals: true, clock, random: seededRandom(1) }),
      breaker: circuitBreaker({ failureThreshold: 4, failureWindow: '10s', openFor: 700, successThreshold: 1, probeTimeout: '1s', clock }),
      limiter: rateLimiter({ limit: 12, window: '1s', maxQueued: 3, maxWait: 800, clock }),
      bulkhead: places,
      'attempt timeout': timeout({ after: 400, clock }),
      cache: cache({ ttl: 100, staleWhileRevalidate: 200, staleIfError: 500, clock }),
      'load shedder': loadShedder({ capacity: 10, maxLoad: 0.9, clock, random: seededRandom(2) }),
      hedge: hedge({ delay: 80, maxHedges: 2, hedgeOnFailure: true, clock }),
      throttler: throttler({ maxConcurrent: 3, spacing: 20, maxQueued: 4, maxWait: '1s', clock }),
      'adaptive concurrency': adaptiveConcurrency({
        maxLimit: 4,
        initialLimit: 2,
        maxQueued: 3,
        maxWait: '1s',
        clock,
        random: seededRandom(3),
      }),
    }
  }

  private work(fate: Fate, leave: () => void): (call: Call) => unknown {
    return (call) => {
      switch (fate) {
        case 'value':
          return 'value'
        case 'promise':
          return Promise.resolve('promise')
        case 'rejection':
        case 'abort while backing off':
          return Promise.reject(transient())
        case 'throw':
          throw new TypeError('a bug')
        case 'slow':
          void call.signal.aborted // makes the signal
          return this.unfinishedWork(250, 'resolve')
        case 'stream':
          call.until(this.unfinishedWork(600, 'resolve'))
          return 'head'
        case 'dying stream':
          call.until(this.unfinishedWork(600, 'reject'))
          return Promise.resolve('head')
        case 'abort in the function':
          leave()
          return this.unfinishedWork(250, 'reject')
        default:
          return this.unfinishedWork(undefined, 'resolve')
      }
    }
  }

  private unfinishedWork(afterMs: number | undefined, ending: 'resolve' | 'reject'): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.unfinished.delete(end)
        if (ending === 'resolve') resolve('late')
        else reject(transient())
      }
      this.unfinished.add(end)
      if (afterMs !== undefined) this.clock.setTimer(end, afterMs).unref()
    })
  }
}
