import { Effect, Schedule, Semaphore } from 'effect'
import { fallback, timeout } from 'holdfast'
import pLimit from 'p-limit'
import PQueue from 'p-queue'
import pRetry from 'p-retry'
import type { Case } from '../case.ts'
import {
  cockatielBreaker,
  cockatielBulkhead,
  cockatielFallback,
  cockatielRetry,
  cockatielTimeout,
  viaCockatiel,
  viaCockatielWithSignal,
} from '../contestants/cockatiel.ts'
import { bare, names, places, queued, timeoutMs } from '../contestants/common.ts'
import { effectBreaker, effectWork, viaEffect } from '../contestants/effect.ts'
import * as hand from '../contestants/hand-written.ts'
import { ourBreaker, ourBulkhead, ourRetry, viaHoldfast, viaHoldfastWithSignal } from '../contestants/holdfast.ts'
import {
  mollitiaBreaker,
  mollitiaBulkhead,
  mollitiaFallback,
  mollitiaRetry,
  mollitiaTimeout,
  viaMollitia,
} from '../contestants/mollitia.ts'
import { viaOpossum } from '../contestants/opossum.ts'
import { work } from '../contestants/work.ts'

/** One policy around a call that succeeds. */
export const singlePolicies: readonly Case[] = [
  {
    kind: 'timed',
    name: 'circuit-breaker',
    title: 'Circuit breaker, closed, successful call',
    note: 'opossum is measured without its timeout; it always keeps rolling statistics on a timer.',
    unit: 'ns',
    page: 'circuit-breaker',
    gates: [
      { kind: 'must', versus: names.cockatiel, atMost: 0.8 },
      { kind: 'aim', versus: 'hand-written', atMost: 1.3 },
    ],
    contestants: async () => {
      const breaker = await effectBreaker()
      return [
        bare,
        hand.byHand(hand.breaker()),
        viaHoldfast(ourBreaker()),
        viaCockatiel(cockatielBreaker()),
        viaOpossum({}, 'peer'),
        viaMollitia(mollitiaBreaker()),
        ...viaEffect(breaker.execute(effectWork, { key: 'payments' })),
      ]
    },
  },
  {
    kind: 'timed',
    name: 'retry',
    title: 'Retry, first attempt succeeds',
    note: 'opossum has none.',
    unit: 'ns',
    page: 'retry',
    gates: [
      { kind: 'must', versus: names.cockatiel, atMost: 0.8 },
      { kind: 'aim', versus: 'hand-written', atMost: 1.3 },
    ],
    contestants: () => [
      bare,
      hand.byHand(hand.retry()),
      viaHoldfast(ourRetry()),
      viaCockatiel(cockatielRetry()),
      viaMollitia(mollitiaRetry()),
      { name: names.pRetry, role: 'peer', call: () => pRetry(work, { retries: 2 }) },
      ...viaEffect(Effect.retry(effectWork, { times: 2, schedule: Schedule.exponential('100 millis') })),
    ],
  },
  {
    kind: 'timed',
    name: 'timeout',
    title: 'Timeout that does not fire, the function ignores its signal',
    note: 'opossum has its timeout only inside its breaker. mollitia cannot cancel.',
    unit: 'ns',
    page: 'timeout',
    gates: [
      { kind: 'must', versus: 'best peer', atMost: 0.4 },
      { kind: 'aim', versus: 'bare', atMost: 5 },
    ],
    contestants: () => [
      bare,
      hand.byHand(hand.timeout(timeoutMs, false)),
      viaHoldfast(timeout(timeoutMs)),
      viaCockatiel(cockatielTimeout()),
      viaOpossum({ timeout: timeoutMs }, 'reference'),
      viaMollitia(mollitiaTimeout()),
      ...viaEffect(Effect.timeout(effectWork, timeoutMs)),
    ],
  },
  {
    kind: 'timed',
    name: 'timeout-signal',
    title: 'Timeout that does not fire, the function reads its signal',
    note: 'Making an AbortController costs what Node asks for it. mollitia and opossum hand no signal to the function.',
    unit: 'ns',
    page: 'timeout',
    gates: [],
    contestants: () => [
      bare,
      hand.byHandWithSignal(hand.timeout(timeoutMs, true)),
      viaHoldfastWithSignal(timeout(timeoutMs)),
      viaCockatielWithSignal(cockatielTimeout()),
    ],
  },
  {
    kind: 'timed',
    name: 'bulkhead',
    title: 'Bulkhead with a free place',
    note: 'opossum has a limit without a queue inside its breaker; p-limit and p-queue have no bound on their queues.',
    unit: 'ns',
    page: 'bulkhead',
    gates: [
      { kind: 'must', versus: names.cockatiel, atMost: 1 },
      { kind: 'aim', versus: 'hand-written', atMost: 1.3 },
    ],
    contestants: () => {
      const limit = pLimit(places)
      const queue = new PQueue({ concurrency: places })
      return [
        bare,
        hand.byHand(hand.bulkhead(places, queued)),
        viaHoldfast(ourBulkhead()),
        viaCockatiel(cockatielBulkhead()),
        viaOpossum({ capacity: places }, 'reference'),
        viaMollitia(mollitiaBulkhead()),
        { name: names.pLimit, role: 'peer', call: () => limit(work) },
        { name: names.pQueue, role: 'peer', call: () => queue.add(work) },
        ...viaEffect(Semaphore.withPermit(Semaphore.makeUnsafe(places), effectWork)),
      ]
    },
  },
  {
    kind: 'timed',
    name: 'fallback',
    title: 'Fallback that is not needed',
    note: '',
    unit: 'ns',
    page: 'fallback',
    gates: [
      { kind: 'must', versus: names.cockatiel, atMost: 0.8 },
      { kind: 'aim', versus: 'hand-written', atMost: 1.3 },
    ],
    contestants: () => [
      bare,
      hand.byHand(hand.fallback(0)),
      viaHoldfast(fallback(0)),
      viaCockatiel(cockatielFallback()),
      viaMollitia(mollitiaFallback()),
      ...viaEffect(Effect.catch(effectWork, () => Effect.succeed(0))),
    ],
  },
]
