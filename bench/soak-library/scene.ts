import {
  adaptiveConcurrency,
  bulkhead,
  circuitBreaker,
  fallback,
  hedge,
  pipeline,
  rateLimiter,
  retry,
  throttler,
  timeout,
  type Call,
  type CallOptions,
  type Clock,
  type Pipeline,
  type Random,
} from 'holdfast'

/** Every pattern in one pipeline, with times so short that all of them happen. */
export interface Scene {
  readonly guarded: Pipeline<string>
  /** What still runs, waits or is abandoned, by pattern. */
  busy(): Readonly<Record<string, number>>
  dispose(): void
}

export function scene(clock: Clock, random: Random): Scene {
  const total = timeout({ after: '40ms', clock, name: 'total' })
  const door = bulkhead({ maxConcurrent: 85, maxQueued: 30, maxWait: '3ms', clock })
  const throttle = throttler({ maxConcurrent: 120, maxQueued: 100, clock })
  const adaptive = adaptiveConcurrency({ minLimit: 110, initialLimit: 150, maxLimit: 300, maxQueued: 40, clock, random })
  const limiter = rateLimiter({ limit: 2_000, window: '10ms', maxKeys: 500, maxQueued: 20, maxWait: '2ms', clock, random })
  const breaker = circuitBreaker({ failureRatio: 0.5, minimumCalls: 100, failureWindow: '1s', openFor: '10ms', clock, random })
  const attempt = timeout({ after: '4ms', clock, name: 'attempt' })
  const guarded = pipeline(
    fallback({ value: 'instead', when: (error) => error instanceof TypeError, clock }),
    total,
    retry({ maxAttempts: 3, backoff: () => 1, clock, random }),
    hedge({ delay: '2ms', clock }),
    breaker,
    limiter,
    throttle,
    adaptive,
    door,
    attempt,
  )
  return {
    guarded,
    busy: () => ({
      'bulkhead running': door.status().running,
      'bulkhead queued': door.status().queued,
      'throttler running': throttle.status().running,
      'throttler queued': throttle.status().queued,
      'rate limiter queued': limiter.status().queued,
      'timeouts with abandoned work': total.status().abandoned + attempt.status().abandoned,
    }),
    dispose: () => {
      for (const owner of [door, throttle, limiter]) owner.dispose()
    },
  }
}

/** Work of mixed fate. In a storm most of it fails. */
export function mixedWork(clock: Clock, random: Random, isStorm: () => boolean): (call: Call) => unknown {
  return (call) => {
    const dice = random()
    if (isStorm() && dice < 0.8) return Promise.reject(new Error('down'))
    if (dice < 0.8) return Promise.resolve('at once')
    if (dice < 0.9) return 'no promise'
    if (dice < 0.93) return Promise.reject(new Error('failed'))
    if (dice < 0.94) return Promise.reject(new TypeError('of a kind that has a substitute'))
    if (dice < 0.95) throw new Error('thrown')
    if (dice < 0.98) return new Promise((resolve) => clock.setTimer(() => resolve('a little later'), 1 + 3 * random()))
    return new Promise((_, reject) => call.signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true }))
  }
}

/** What callers ask for: some nothing, some a signal, a deadline, a key. One that gives up does so in a microtask. */
export function mixedOptions(random: Random, longLived: AbortSignal): CallOptions | undefined {
  const dice = random()
  if (dice < 0.6) return undefined
  if (dice < 0.75) return { signal: longLived }
  if (dice < 0.85) return { deadline: 1 + 10 * random(), signal: longLived }
  if (dice < 0.95) return { key: `user-${Math.floor(1_000 * random())}` }
  const controller = new AbortController()
  if (dice < 0.96) controller.abort(new Error('gave up before'))
  else queueMicrotask(() => controller.abort(new Error('gave up')))
  return { signal: controller.signal }
}
