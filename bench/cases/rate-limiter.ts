import Bottleneck from 'bottleneck'
import { Effect } from 'effect'
import { rateLimiter, type RateLimiter } from 'holdfast'
import PQueue from 'p-queue'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import type { Case, FreshContestant, TimedContestant } from '../case.ts'
import { bare, names, swallow } from '../contestants/common.ts'
import { effectLimiter, viaEffect } from '../contestants/effect.ts'
import { HandWrittenLimiter } from '../contestants/hand-written-limiter.ts'
import { work, worked } from '../contestants/work.ts'
import { bytesEach, collectOnDemand, nsToMake } from '../fresh/memory.ts'

const windowMs = 60_000
/** More than any run uses. */
const ample = 1e12
const manyKeys = 100_000

type Algorithm = 'sliding-window' | 'gcra'

const ours = (limit: number, algorithm: Algorithm = 'sliding-window'): RateLimiter => rateLimiter({ limit, window: windowMs, algorithm })
const flexible = (points: number): RateLimiterMemory => new RateLimiterMemory({ points, duration: windowMs / 1_000 })

/** `user-0`, `user-1` … over and over. */
function nextKey(): () => string {
  const keys = Array.from({ length: manyKeys }, (_, index) => `user-${index}`)
  let next = 0
  return () => keys[next++ % manyKeys] as string
}

function count(allowed: boolean): void {
  if (allowed) worked.calls++
}

function byOurs(limit: number, algorithm: Algorithm, key: () => string, works: number): TimedContestant {
  const limiter = ours(limit, algorithm)
  return {
    name: algorithm === 'gcra' ? 'holdfast `isAllowed`, gcra' : 'holdfast `isAllowed`',
    role: 'ours',
    call: () => count(limiter.isAllowed(key())),
    works,
    synchronous: true,
  }
}

function byHand(limit: number, key: () => string, works: number): TimedContestant {
  const limiter = new HandWrittenLimiter(limit, windowMs)
  return { name: 'hand-written', role: 'hand-written', call: () => count(limiter.isAllowed(key())), works, synchronous: true }
}

function byFlexible(points: number, key: () => string, works: number): TimedContestant {
  const limiter = flexible(points)
  const allowed = (): void => count(true)
  return { name: names.rateLimiterFlexible, role: 'peer', call: () => limiter.consume(key()).then(allowed, swallow), works }
}

async function byEffect(limit: number, key: () => string, works: number): Promise<readonly TimedContestant[]> {
  const limiter = await effectLimiter()
  const consume = Effect.suspend(() => limiter.consume({ key: key(), limit, window: windowMs }))
  const counted = Effect.match(consume, { onSuccess: () => count(true), onFailure: swallow })
  return viaEffect(counted, works)
}

async function deciders(limit: number, works: number, keys: () => () => string): Promise<readonly TimedContestant[]> {
  const all = [
    byHand(limit, keys(), works),
    byOurs(limit, 'sliding-window', keys(), works),
    byOurs(limit, 'gcra', keys(), works),
    byFlexible(limit, keys(), works),
    ...(await byEffect(limit, keys(), works)),
  ]
  return all
}

const oneKey = (): (() => string) => () => 'user'

/** Uses up limits of one, so that what is measured is denied. */
async function exhausted(contestants: readonly TimedContestant[]): Promise<readonly TimedContestant[]> {
  for (const { call } of contestants) await call()
  return contestants
}

export const rateLimits: readonly Case[] = [
  {
    kind: 'timed',
    name: 'limiter-one-key',
    title: 'Rate limiter, one key, allowed: the decision',
    note: 'rate-limiter-flexible and Effect answer with a promise, which is awaited; Holdfast answers at once.',
    unit: 'ns',
    page: 'rate-limiter',
    gates: [
      { kind: 'must', versus: 'best peer', atMost: 0.8 },
      { kind: 'must', ours: 'holdfast `isAllowed`, gcra', versus: 'best peer', atMost: 0.8 },
    ],
    contestants: () => deciders(ample, 1, oneKey),
  },
  {
    kind: 'timed',
    name: 'limiter-call',
    title: 'Rate limiter, one key, allowed: a protected call',
    note: 'p-queue and bottleneck are queues with a rate; bottleneck needs a timer per job.',
    unit: 'ns',
    page: 'rate-limiter',
    gates: [{ kind: 'must', versus: 'best peer', atMost: 0.8 }],
    contestants: async () => {
      const limiter = ours(ample)
      const hand = new HandWrittenLimiter(ample, windowMs)
      const peer = flexible(ample)
      const queue = new PQueue({ intervalCap: ample, interval: windowMs })
      const bottleneck = new Bottleneck({ reservoir: ample, reservoirRefreshAmount: ample, reservoirRefreshInterval: windowMs })
      const effect = await effectLimiter()
      const program = Effect.flatMap(effect.consume({ key: 'user', limit: ample, window: windowMs }), () => Effect.tryPromise(work))
      return [
        bare,
        {
          name: 'hand-written',
          role: 'hand-written',
          call: () => (hand.isAllowed('user') ? work() : Promise.reject(new Error('limited'))),
        },
        { name: 'holdfast', role: 'ours', call: () => limiter.execute(work, { key: 'user' }) },
        { name: names.rateLimiterFlexible, role: 'peer', call: () => peer.consume('user').then(work) },
        { name: names.pQueue, role: 'peer', call: () => queue.add(work) },
        { name: names.bottleneck, role: 'peer', call: () => bottleneck.schedule(work) },
        ...viaEffect(program),
      ]
    },
  },
  {
    kind: 'timed',
    name: 'limiter-many-keys',
    title: 'Rate limiter, 100,000 keys in turn, allowed',
    note: '',
    unit: 'ns',
    page: 'rate-limiter',
    gates: [{ kind: 'must', versus: 'best peer', atMost: 0.8 }],
    contestants: () => deciders(ample, 1, nextKey),
  },
  {
    kind: 'timed',
    name: 'limiter-denied',
    title: 'Rate limiter, one key, denied',
    note: '',
    unit: 'ns',
    page: 'rate-limiter',
    gates: [{ kind: 'must', versus: 'best peer', atMost: 0.8 }],
    contestants: async () => {
      const contestants = await deciders(1, 0, oneKey)
      const limiter = ours(1)
      const execute: TimedContestant = {
        name: 'holdfast `tryExecute`',
        role: 'ours',
        call: () => limiter.tryExecute(work, { key: 'user' }),
        works: 0,
      }
      return exhausted([...contestants.slice(0, 3), execute, ...contestants.slice(3)])
    },
  },
  {
    kind: 'fresh',
    name: 'limiter-first-touch',
    title: 'Rate limiter, first use of each of 100,000 keys',
    note: 'CPU time, garbage collection included.',
    unit: 'ns',
    page: 'rate-limiter',
    gates: [{ kind: 'must', versus: 'best peer', atMost: 0.8 }],
    contestants: () => keyed((use) => nsToMake(manyKeys, use)),
  },
  {
    kind: 'fresh',
    name: 'limiter-bytes',
    title: 'Rate limiter, memory per key of 100,000',
    note: 'The text of the key included. Holdfast forgets keys that have used nothing; Effect and the hand-written one never do.',
    unit: 'bytes',
    page: 'rate-limiter',
    gates: [{ kind: 'must', versus: 'best peer', atMost: 1 }],
    nodeOptions: collectOnDemand,
    contestants: () => keyed((use) => bytesEach(manyKeys, use)),
  },
]

/** One use of a fresh key by each limiter. */
function keyed(measure: (use: (index: number) => unknown) => Promise<number>): readonly FreshContestant[] {
  const keyOf = (index: number): string => `user-${index}`
  const oursBy = (algorithm: Algorithm) => () => {
    const limiter = rateLimiter({ limit: 100, window: windowMs, algorithm, maxKeys: 2 * manyKeys })
    return measure((index) => limiter.isAllowed(keyOf(index)))
  }
  return [
    {
      name: 'hand-written',
      role: 'hand-written',
      measure: () => {
        const limiter = new HandWrittenLimiter(100, windowMs)
        return measure((index) => limiter.isAllowed(keyOf(index)))
      },
    },
    { name: 'holdfast', role: 'ours', measure: oursBy('sliding-window') },
    { name: 'holdfast, gcra', role: 'ours', measure: oursBy('gcra') },
    {
      name: names.rateLimiterFlexible,
      role: 'peer',
      measure: () => {
        const limiter = flexible(100)
        return measure((index) => limiter.consume(keyOf(index)).then(swallow))
      },
    },
    {
      name: names.effect,
      role: 'peer',
      measure: async () => {
        const limiter = await effectLimiter()
        return measure((index) => Effect.runPromise(limiter.consume({ key: keyOf(index), limit: 100, window: windowMs })).then(swallow))
      },
    },
  ]
}
