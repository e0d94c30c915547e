import { Effect, Schedule, Semaphore } from 'effect'
import { timeout } from 'holdfast'
import type { Case, Gate } from '../case.ts'
import {
  cockatielBreaker,
  cockatielBulkhead,
  cockatielRetry,
  cockatielTimeout,
  viaCockatiel,
  viaCockatielWithSignal,
} from '../contestants/cockatiel.ts'
import { bare, names, places, queued, timeoutMs } from '../contestants/common.ts'
import { effectBreaker, effectWork, viaEffect } from '../contestants/effect.ts'
import * as hand from '../contestants/hand-written.ts'
import { ourBreaker, ourBulkhead, ourRetry, viaHoldfast, viaHoldfastWithSignal } from '../contestants/holdfast.ts'
import { mollitiaBreaker, mollitiaBulkhead, mollitiaRetry, mollitiaTimeout, viaMollitia } from '../contestants/mollitia.ts'
import { viaOpossum } from '../contestants/opossum.ts'

const gatesOfFour: readonly Gate[] = [
  { kind: 'must', versus: 'best peer', atMost: 0.06 },
  { kind: 'aim', versus: 'hand-written', atMost: 1 },
  { kind: 'aim', versus: 'bare', atMost: 7 },
]

const effectRetry = { times: 2, schedule: Schedule.exponential('100 millis') }

/** Several policies around a call that succeeds. */
export const pipelines: readonly Case[] = [
  {
    kind: 'timed',
    name: 'breaker-timeout',
    title: 'Circuit breaker and timeout',
    note: 'This is what opossum is made for.',
    unit: 'ns',
    page: 'circuit-breaker',
    gates: [{ kind: 'must', versus: names.opossum, atMost: 0.5 }],
    contestants: async () => {
      const breaker = await effectBreaker()
      return [
        bare,
        hand.byHand(hand.breaker(), hand.timeout(timeoutMs, false)),
        viaHoldfast(ourBreaker(), timeout(timeoutMs)),
        viaCockatiel(cockatielBreaker(), cockatielTimeout()),
        viaOpossum({ timeout: timeoutMs }, 'peer'),
        viaMollitia(mollitiaBreaker(), mollitiaTimeout()),
        ...viaEffect(breaker.execute(Effect.timeout(effectWork, timeoutMs), { key: 'payments' })),
      ]
    },
  },
  {
    kind: 'timed',
    name: 'four-retry-outside',
    title: 'Retry, breaker, bulkhead, timeout: retry outside the breaker',
    note: 'opossum (breaker, limit and timeout, without retry) does less.',
    unit: 'ns',
    gates: gatesOfFour,
    contestants: async () => {
      const breaker = await effectBreaker()
      const limited = Semaphore.withPermit(Semaphore.makeUnsafe(places), Effect.timeout(effectWork, timeoutMs))
      return [
        bare,
        hand.byHand(hand.retry(), hand.breaker(), hand.bulkhead(places, queued), hand.timeout(timeoutMs, false)),
        viaHoldfast(ourRetry(), ourBreaker(), ourBulkhead(), timeout(timeoutMs)),
        viaCockatiel(cockatielRetry(), cockatielBreaker(), cockatielBulkhead(), cockatielTimeout()),
        viaOpossum({ timeout: timeoutMs, capacity: places }, 'reference'),
        viaMollitia(mollitiaRetry(), mollitiaBreaker(), mollitiaBulkhead(), mollitiaTimeout()),
        ...viaEffect(Effect.retry(breaker.execute(limited, { key: 'payments' }), effectRetry)),
      ]
    },
  },
  {
    kind: 'timed',
    name: 'four-retry-inside',
    title: 'Breaker, retry, bulkhead, timeout: retry inside the breaker',
    note: '',
    unit: 'ns',
    gates: gatesOfFour,
    contestants: async () => {
      const breaker = await effectBreaker()
      const limited = Semaphore.withPermit(Semaphore.makeUnsafe(places), Effect.timeout(effectWork, timeoutMs))
      return [
        bare,
        hand.byHand(hand.breaker(), hand.retry(), hand.bulkhead(places, queued), hand.timeout(timeoutMs, false)),
        viaHoldfast(ourBreaker(), ourRetry(), ourBulkhead(), timeout(timeoutMs)),
        viaCockatiel(cockatielBreaker(), cockatielRetry(), cockatielBulkhead(), cockatielTimeout()),
        viaMollitia(mollitiaBreaker(), mollitiaRetry(), mollitiaBulkhead(), mollitiaTimeout()),
        ...viaEffect(breaker.execute(Effect.retry(limited, effectRetry), { key: 'payments' })),
      ]
    },
  },
  {
    kind: 'timed',
    name: 'four-signal',
    title: 'All four, retry outside the breaker, the function reads its signal',
    note: 'mollitia and opossum hand no signal to the function.',
    unit: 'ns',
    gates: [],
    contestants: () => [
      bare,
      hand.byHandWithSignal(hand.retry(), hand.breaker(), hand.bulkhead(places, queued), hand.timeout(timeoutMs, true)),
      viaHoldfastWithSignal(ourRetry(), ourBreaker(), ourBulkhead(), timeout(timeoutMs)),
      viaCockatielWithSignal(cockatielRetry(), cockatielBreaker(), cockatielBulkhead(), cockatielTimeout()),
    ],
  },
  {
    kind: 'timed',
    name: 'four-inside-signal',
    title: 'All four, retry inside the breaker, the function reads its signal',
    note: 'mollitia and opossum hand no signal to the function.',
    unit: 'ns',
    gates: [],
    contestants: () => [
      bare,
      hand.byHandWithSignal(hand.breaker(), hand.retry(), hand.bulkhead(places, queued), hand.timeout(timeoutMs, true)),
      viaHoldfastWithSignal(ourBreaker(), ourRetry(), ourBulkhead(), timeout(timeoutMs)),
      viaCockatielWithSignal(cockatielBreaker(), cockatielRetry(), cockatielBulkhead(), cockatielTimeout()),
    ],
  },
]
