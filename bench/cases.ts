import * as cockatiel from 'cockatiel'
import { bulkhead, circuitBreaker, fallback, pipeline, retry, timeout, type Bulkhead, type CircuitBreaker, type Retry } from 'holdfast'
import * as mollitia from 'mollitia'
import OpossumBreaker from 'opossum'
import type { Case, Contestant } from './case.ts'
import * as hand from './contestants/hand-written.ts'
import { work, workWithSignal } from './contestants/work.ts'

const timeoutMs = 2_000
const places = 10
const queued = 20

const bare: Contestant = { name: 'bare `await fn()`', role: 'bare', call: () => work() }

const cockatielBreaker = (): cockatiel.IPolicy =>
  cockatiel.circuitBreaker(cockatiel.handleAll, { halfOpenAfter: 60_000, breaker: new cockatiel.ConsecutiveBreaker(5) })
const cockatielRetry = (): cockatiel.IPolicy =>
  cockatiel.retry(cockatiel.handleAll, { maxAttempts: 2, backoff: new cockatiel.ExponentialBackoff() })
const cockatielTimeout = (): cockatiel.IPolicy => cockatiel.timeout(timeoutMs, cockatiel.TimeoutStrategy.Aggressive)
const cockatielBulkhead = (): cockatiel.IPolicy => cockatiel.bulkhead(places, queued)

function viaCockatiel(policy: cockatiel.IPolicy, signal = false): Contestant {
  const name = 'cockatiel 3.2.1'
  return signal
    ? { name, role: 'peer', call: () => policy.execute(workWithSignal) }
    : { name, role: 'peer', call: () => policy.execute(work) }
}

function viaMollitia(modules: mollitia.Module[]): Contestant {
  const circuit = new mollitia.Circuit({ func: work, options: { modules } })
  return { name: 'mollitia 0.1.1', role: 'peer', call: () => circuit.execute<unknown>() }
}

const mollitiaBreaker = (): mollitia.Module =>
  new mollitia.SlidingCountBreaker({ slidingWindowSize: 10, minimumNumberOfCalls: 5, failureRateThreshold: 50, openStateDelay: 60_000 })
const mollitiaRetry = (): mollitia.Module => new mollitia.Retry({ attempts: 2 })
const mollitiaTimeout = (): mollitia.Module => new mollitia.Timeout({ delay: timeoutMs })
const mollitiaBulkhead = (): mollitia.Module => new mollitia.Bulkhead({ concurrentSize: places, queueSize: queued })

function viaOpossum(options: OpossumBreaker.Options, role: Contestant['role']): Contestant {
  const breaker = new OpossumBreaker(work, { resetTimeout: 60_000, ...options })
  return { name: 'opossum 9.0.0', role, call: () => breaker.fire() }
}

function viaHoldfast(...policies: Parameters<typeof pipeline>): Contestant {
  const policy = policies.length === 1 ? (policies[0] as unknown as ReturnType<typeof pipeline>) : pipeline(...policies)
  return { name: 'holdfast', role: 'ours', call: () => policy.execute(work) }
}

function viaHoldfastWithSignal(...policies: Parameters<typeof pipeline>): Contestant {
  const policy = pipeline(...policies)
  return { name: 'holdfast', role: 'ours', call: () => policy.execute(workWithSignal) }
}

function byHand(...layers: Parameters<typeof hand.compose> extends [unknown, ...infer Layers] ? Layers : never): Contestant {
  return { name: 'hand-written', role: 'hand-written', call: hand.compose(work, ...layers) }
}

function byHandWithSignal(...layers: Parameters<typeof hand.compose> extends [unknown, ...infer Layers] ? Layers : never): Contestant {
  return { name: 'hand-written', role: 'hand-written', call: hand.compose(workWithSignal, ...layers) }
}

const ourBreaker = (): CircuitBreaker => circuitBreaker({ failureThreshold: 5, failureWindow: '60s', openFor: '60s' })
const ourRetry = (): Retry => retry({ maxAttempts: 3 })
const ourBulkhead = (): Bulkhead => bulkhead({ maxConcurrent: places, maxQueued: queued })

/** Fresh objects for every run: nothing is shared between the cases. */
export function cases(): readonly Case[] {
  return [
    {
      name: 'circuit-breaker',
      title: 'Circuit breaker, closed, successful call',
      note: 'opossum is measured without its timeout; it always keeps rolling statistics on a timer.',
      contestants: [
        bare,
        byHand(hand.breaker()),
        viaHoldfast(ourBreaker()),
        viaCockatiel(cockatielBreaker()),
        viaOpossum({ timeout: false }, 'peer'),
        viaMollitia([mollitiaBreaker()]),
      ],
    },
    {
      name: 'retry',
      title: 'Retry, first attempt succeeds',
      note: 'opossum has none.',
      contestants: [bare, byHand(hand.retry()), viaHoldfast(ourRetry()), viaCockatiel(cockatielRetry()), viaMollitia([mollitiaRetry()])],
    },
    {
      name: 'timeout',
      title: 'Timeout that does not fire, the function ignores its signal',
      note: 'opossum has its timeout only inside its breaker. mollitia cannot cancel.',
      contestants: [
        bare,
        byHand(hand.timeout(timeoutMs, false)),
        viaHoldfast(timeout(timeoutMs)),
        viaCockatiel(cockatielTimeout()),
        viaOpossum({ timeout: timeoutMs }, 'reference'),
        viaMollitia([mollitiaTimeout()]),
      ],
    },
    {
      name: 'timeout-signal',
      title: 'Timeout that does not fire, the function reads its signal',
      note: 'Making an AbortController costs what Node asks for it. mollitia and opossum hand no signal to the function.',
      contestants: [
        bare,
        byHandWithSignal(hand.timeout(timeoutMs, true)),
        viaHoldfastWithSignal(timeout(timeoutMs)),
        viaCockatiel(cockatielTimeout(), true),
      ],
    },
    {
      name: 'bulkhead',
      title: 'Bulkhead with a free place',
      note: 'opossum has a limit without a queue inside its breaker.',
      contestants: [
        bare,
        byHand(hand.bulkhead(places, queued)),
        viaHoldfast(ourBulkhead()),
        viaCockatiel(cockatielBulkhead()),
        viaOpossum({ timeout: false, capacity: places }, 'reference'),
        viaMollitia([mollitiaBulkhead()]),
      ],
    },
    {
      name: 'fallback',
      title: 'Fallback that is not needed',
      note: '',
      contestants: [
        bare,
        byHand(hand.fallback(0)),
        viaHoldfast(fallback(0)),
        viaCockatiel(cockatiel.fallback(cockatiel.handleAll, 0) as unknown as cockatiel.IPolicy),
        viaMollitia([new mollitia.Fallback({ callback: () => 0 })]),
      ],
    },
    {
      name: 'four-retry-outside',
      title: 'Retry, breaker, bulkhead, timeout: retry outside the breaker',
      note: 'opossum (breaker, limit and timeout, without retry) does less.',
      contestants: [
        bare,
        byHand(hand.retry(), hand.breaker(), hand.bulkhead(places, queued), hand.timeout(timeoutMs, false)),
        viaHoldfast(ourRetry(), ourBreaker(), ourBulkhead(), timeout(timeoutMs)),
        viaCockatiel(cockatiel.wrap(cockatielRetry(), cockatielBreaker(), cockatielBulkhead(), cockatielTimeout())),
        viaOpossum({ timeout: timeoutMs, capacity: places }, 'reference'),
        viaMollitia([mollitiaRetry(), mollitiaBreaker(), mollitiaBulkhead(), mollitiaTimeout()]),
      ],
    },
    {
      name: 'four-retry-inside',
      title: 'Breaker, retry, bulkhead, timeout: retry inside the breaker',
      note: '',
      contestants: [
        bare,
        byHand(hand.breaker(), hand.retry(), hand.bulkhead(places, queued), hand.timeout(timeoutMs, false)),
        viaHoldfast(ourBreaker(), ourRetry(), ourBulkhead(), timeout(timeoutMs)),
        viaCockatiel(cockatiel.wrap(cockatielBreaker(), cockatielRetry(), cockatielBulkhead(), cockatielTimeout())),
        viaMollitia([mollitiaBreaker(), mollitiaRetry(), mollitiaBulkhead(), mollitiaTimeout()]),
      ],
    },
    {
      name: 'four-signal',
      title: 'All four, retry outside the breaker, the function reads its signal',
      note: 'mollitia and opossum hand no signal to the function.',
      contestants: [
        bare,
        byHandWithSignal(hand.retry(), hand.breaker(), hand.bulkhead(places, queued), hand.timeout(timeoutMs, true)),
        viaHoldfastWithSignal(ourRetry(), ourBreaker(), ourBulkhead(), timeout(timeoutMs)),
        viaCockatiel(cockatiel.wrap(cockatielRetry(), cockatielBreaker(), cockatielBulkhead(), cockatielTimeout()), true),
      ],
    },
    {
      name: 'four-inside-signal',
      title: 'All four, retry inside the breaker, the function reads its signal',
      note: 'mollitia and opossum hand no signal to the function.',
      contestants: [
        bare,
        byHandWithSignal(hand.breaker(), hand.retry(), hand.bulkhead(places, queued), hand.timeout(timeoutMs, true)),
        viaHoldfastWithSignal(ourBreaker(), ourRetry(), ourBulkhead(), timeout(timeoutMs)),
        viaCockatiel(cockatiel.wrap(cockatielBreaker(), cockatielRetry(), cockatielBulkhead(), cockatielTimeout()), true),
      ],
    },
    openRejection(),
  ]
}

/** An open circuit turning callers away: how much a refusal costs when CPU is scarce. */
function openRejection(): Case {
  const ours = ourBreaker()
  ours.isolate()
  const theirs = cockatielBreaker() as cockatiel.CircuitBreakerPolicy
  theirs.isolate()
  const opossum = new OpossumBreaker(work, { timeout: false, resetTimeout: 60_000 })
  opossum.open()
  const swallow = (): undefined => undefined
  return {
    name: 'open-rejection',
    title: 'Open circuit, refused call',
    note: '`tryExecute` answers with plain data; the others throw or reject, and the caller catches.',
    contestants: [
      bare,
      { name: 'holdfast `tryExecute`', role: 'ours', call: () => ours.tryExecute(work) },
      { name: 'holdfast `execute`', role: 'ours', call: () => ours.execute(work).catch(swallow) },
      { name: 'cockatiel 3.2.1', role: 'peer', call: () => theirs.execute(work).catch(swallow) },
      { name: 'opossum 9.0.0', role: 'peer', call: () => opossum.fire().catch(swallow) },
    ],
  }
}
