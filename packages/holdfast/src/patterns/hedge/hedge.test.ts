import {
  bulkhead,
  circuitBreaker,
  concurrentRetryBudget,
  hedge,
  pipeline,
  retryBudget,
  timeout,
  type Call,
  type HedgeEvent,
} from 'holdfast'
import { fakeClock, seededRandom } from 'holdfast/testing'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { attempts } from './hedge.fixture.ts'

const unhandled = vi.fn()
process.on('unhandledRejection', unhandled)
afterEach(async () => {
  await new Promise(setImmediate)
  expect(unhandled).not.toHaveBeenCalled()
})

describe('a hedge', () => {
  it('asks a second time when the first answer is late, and takes what comes first', async () => {
    const clock = fakeClock()
    const policy = hedge({ delay: '100ms', clock })
    const work = attempts()
    const answer = policy.execute(work.run)
    await clock.advance(99)
    expect(work.calls).toHaveLength(1)
    await clock.advance(1)
    expect(work.calls.map(({ attempt }) => attempt)).toEqual([1, 2])
    work.finish(2)
    expect(await answer).toBe('answer 2')
    expect(policy.status()).toMatchObject({ calls: 1, hedges: 1, won: 1, suppressed: 0, delayMs: 100 })
    expect(clock.timers.filter(({ ref }) => ref)).toEqual([])
  })

  it('asks once when the answer is in time', async () => {
    const clock = fakeClock()
    const work = attempts()
    const answer = hedge({ delay: 100, clock }).execute(work.run)
    await clock.advance(50)
    work.finish(1)
    expect(await answer).toBe('answer 1')
    await clock.advance('1m')
    expect(work.calls).toHaveLength(1)
  })

  it('67: what losers fail with later is heard by nobody', async () => {
    const clock = fakeClock()
    const work = attempts()
    const answer = hedge({ delay: 10, maxHedges: 2, clock }).execute(work.run)
    await clock.advance(20)
    work.finish(3)
    expect(await answer).toBe('answer 3')
    work.fail(1, new Error('late'))
    work.fail(2, new Error('later'))
  })

  it('68: losers are cancelled, and the winner’s signal is not, for as long as its body goes on', async () => {
    const clock = fakeClock()
    const work = attempts()
    let endBody = (): void => undefined
    const body = new Promise<void>((resolve) => (endBody = resolve))
    const signals: AbortSignal[] = []
    const places = bulkhead({ maxConcurrent: 2 })
    const answer = pipeline({ clock }, places, hedge({ delay: 10, clock })).execute((call) => {
      signals.push(call.signal)
      if (call.attempt === 2) call.until(body)
      return work.run(call)
    })
    await clock.advance(10)
    work.finish(2)
    await answer
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
    expect(signals[0]?.reason).toMatchObject({ name: 'AbortError', message: 'another attempt has answered first' })
    work.fail(1, signals[0]?.reason)
    await new Promise(setImmediate)
    expect(places.status().running).toBe(1) // the body goes on
    endBody()
    await new Promise(setImmediate)
    expect([places.status().running, signals[1]?.aborted]).toEqual([0, false])
  })

  it('69: when all fail, the caller has the error of the first, after the slowest has ended', async () => {
    const clock = fakeClock()
    const work = attempts()
    const answer = hedge({ delay: 10, maxHedges: 2, clock }).tryExecute(work.run)
    const settled = vi.fn()
    void answer.then(settled)
    await clock.advance(20)
    const errors = [1, 2, 3].map((number) => new Error(`of ${number}`))
    work.fail(1, errors[0])
    work.fail(3, errors[2])
    await clock.advance(1)
    expect(settled).not.toHaveBeenCalled()
    work.fail(2, errors[1])
    expect(await answer).toEqual({ ok: false, error: errors[0] })
  })

  it('an attempt that fails while another runs is waited beyond', async () => {
    const clock = fakeClock()
    const work = attempts()
    const answer = hedge({ delay: 10, clock }).execute(work.run)
    await clock.advance(10)
    work.fail(1, new Error('first'))
    await clock.advance(5)
    work.finish(2)
    expect(await answer).toBe('answer 2')
  })

  it('a failure in time is passed on, and starts the next attempt only where that is wanted', async () => {
    const clock = fakeClock()
    const error = new Error('at once')
    const plain = attempts()
    const plainAnswer = hedge({ delay: 100, clock }).tryExecute(plain.run)
    plain.fail(1, error)
    expect(await plainAnswer).toEqual({ ok: false, error })
    const eager = attempts()
    const eagerAnswer = hedge({ delay: 100, hedgeOnFailure: true, clock }).execute(eager.run)
    eager.fail(1, error)
    await clock.advance(0)
    eager.finish(2)
    expect(await eagerAnswer).toBe('answer 2')
  })

  it('a failure that is not wanted, and a refusal of a policy inside, start no next attempt', async () => {
    const clock = fakeClock()
    const events: HedgeEvent[] = []
    const picky = hedge({ delay: 100, hedgeOnFailure: (error) => (error as Error).message === 'busy', clock })
    picky.on((event) => events.push(event))
    const busy = attempts()
    const answer = picky.execute(busy.run)
    busy.fail(1, new Error('busy'))
    await clock.advance(0)
    busy.finish(2)
    expect(await answer).toBe('answer 2')
    const wrong = new Error('wrong')
    expect(await picky.tryExecute(() => Promise.reject(wrong))).toEqual({ ok: false, error: wrong })
    const breaker = circuitBreaker({ clock })
    breaker.isolate()
    const eager = hedge({ delay: 100, hedgeOnFailure: true, clock })
    expect(await pipeline({ clock }, eager, breaker).tryExecute(() => 1)).toMatchObject({ refusal: { code: 'ERR_CIRCUIT_ISOLATED' } })
    expect([picky.status().hedges, eager.status().hedges]).toEqual([1, 0])
    picky.reconfigure({ delay: 100, hedgeOnFailure: () => Promise.resolve(true) as never })
    expect(await picky.tryExecute(() => Promise.reject(wrong))).toEqual({ ok: false, error: wrong })
    await Promise.resolve()
    expect(events.at(-1)).toMatchObject({ type: 'hedge.callback-failed', callback: 'hedgeOnFailure' })
  })

  it('with a delay of 0 asks all at once; a function says each delay', async () => {
    const clock = fakeClock()
    const parallel = attempts()
    const first = hedge({ delay: 0, maxHedges: 2, clock }).execute(parallel.run)
    expect(parallel.calls).toHaveLength(3)
    parallel.finish(3)
    expect(await first).toBe('answer 3')
    const stepped = attempts()
    const second = hedge({ delay: (attempt) => (attempt - 1) * 100, maxHedges: 2, clock }).execute(stepped.run)
    await clock.advance(100)
    expect(stepped.calls).toHaveLength(2)
    await clock.advance(199)
    expect(stepped.calls).toHaveLength(2)
    await clock.advance(1)
    expect(stepped.calls).toHaveLength(3)
    stepped.finish(1)
    expect(await second).toBe('answer 1')
  })

  it('a delay that cannot be had hedges nothing, and is told', async () => {
    const clock = fakeClock({ wallMs: 4 })
    const policy = hedge({ name: 'search', delay: () => Number.NaN, clock })
    const events: HedgeEvent[] = []
    policy.on((event) => events.push(event))
    expect(await policy.execute(async () => 1)).toBe(1)
    await Promise.resolve()
    expect(events).toMatchObject([{ type: 'hedge.callback-failed', policy: 'search', callback: 'delay', at: 4 }])
  })

  it('does not ask twice for what must not be done twice', async () => {
    const clock = fakeClock()
    const once = hedge({ delay: 10, idempotent: ({ context }) => context === 'GET', clock })
    const ask = async (options: object, run = attempts()): Promise<number> => {
      const answer = once.execute(run.run, options)
      await clock.advance(10)
      run.finish(1)
      await answer
      return run.calls.length
    }
    expect(await ask({ context: 'GET' })).toBe(2)
    expect(await ask({ context: 'POST' })).toBe(1)
    expect(await ask({ context: 'POST', idempotencyKey: 'order-7' })).toBe(2)
    const sent = attempts()
    expect(await ask({ context: 'GET' }, { ...sent, run: (call) => (call.doNotRetry(), sent.run(call)) })).toBe(1)
  })

  it('starts no attempt that could not end in time', async () => {
    const clock = fakeClock()
    const work = attempts()
    const answer = hedge({ delay: 100, minRemaining: 50, clock }).execute(work.run, { deadline: 149 })
    await clock.advance(100)
    expect(work.calls).toHaveLength(1)
    work.finish(1)
    await answer
  })

  it('a caller who leaves ends all attempts and hears their own reason', async () => {
    const clock = fakeClock()
    const work = attempts()
    const caller = new AbortController()
    const signals: AbortSignal[] = []
    const places = bulkhead({ maxConcurrent: 1 })
    const answer = pipeline({ clock }, places, hedge({ delay: 10, maxHedges: 3, clock })).tryExecute(
      (call) => {
        signals.push(call.signal)
        return work.run(call)
      },
      { signal: caller.signal },
    )
    await clock.advance(10)
    work.fail(1, new Error('early'))
    await clock.advance(0)
    const reason = new Error('enough')
    caller.abort(reason)
    expect(await answer).toEqual({ ok: false, error: reason })
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, true]) // the first had ended
    expect(places.status().running).toBe(1) // the second attempt has not ended
    work.fail(2, reason)
    await new Promise(setImmediate)
    expect(places.status().running).toBe(0)
    await clock.advance('1m')
    expect(work.calls).toHaveLength(2)
  })

  it('each attempt is judged by the gates inside by itself', async () => {
    const clock = fakeClock()
    const breaker = circuitBreaker({ failureThreshold: 2, clock })
    const work = attempts()
    const answer = pipeline({ clock }, hedge({ delay: 10, clock }), breaker).execute(work.run)
    await clock.advance(10)
    work.finish(2)
    await answer
    expect(breaker.status()).toMatchObject({ successTotal: 1, failureTotal: 0, ignoredTotal: 1 })
  })

  it('65: an answer that comes too late is disposed of', async () => {
    const clock = fakeClock()
    const cancel = vi.fn()
    const ends: ((value: unknown) => void)[] = []
    const answer = hedge({ delay: 10, clock }).execute(() => new Promise((resolve) => ends.push(resolve)))
    await clock.advance(10)
    ends[1]?.('second')
    await answer
    ends[0]?.({ body: { cancel } })
    await clock.advance(0)
    expect(cancel).toHaveBeenCalledTimes(1)
  })

  it('113: what an attempt changes in its context, the caller sees only of the winner', async () => {
    const clock = fakeClock()
    const context: { tried: number; by?: string; gone?: boolean } = { tried: 0, gone: true }
    const work = attempts()
    const answer = hedge({ delay: 10, clock }).execute(
      (call) => {
        const own = call.context as typeof context
        own.by = `attempt ${call.attempt}`
        delete own.gone
        return work.run(call)
      },
      { context },
    )
    context.tried = 5 // the caller's own change stays
    await clock.advance(10)
    expect(context).toEqual({ tried: 5, gone: true })
    work.finish(2)
    await answer
    expect(context).toEqual({ tried: 5, by: 'attempt 2' })
  })

  it('113: when all fail, the caller sees what the first attempt has changed, whose error it has', async () => {
    const clock = fakeClock()
    const context: { by?: number } = {}
    const work = attempts()
    const run = (call: Call): Promise<string> => {
      ;(call.context as typeof context).by = call.attempt
      return work.run(call)
    }
    const answer = hedge({ delay: 10, clock }).tryExecute(run, { context })
    await clock.advance(10)
    work.fail(1, new Error('first'))
    await clock.advance(0)
    expect(context).toEqual({})
    work.fail(2, new Error('second'))
    expect(await answer).toMatchObject({ error: { message: 'first' } })
    expect(context).toEqual({ by: 1 })
  })

  it.each<[string, object, string]>([
    ['neither delay nor percentile', {}, "option 'delay' must be given, or 'percentile', but not both"],
    ['both', { delay: 5, percentile: 0.9 }, "option 'delay' must be given, or 'percentile', but not both"],
    ['a percentile in percent', { percentile: 95 }, "option 'percentile' must be a share from 0.5 to 0.999, got 95"],
    ['no hedges', { delay: 5, maxHedges: 0 }, "option 'maxHedges' must be a whole number from 1 to 10"],
    ['no budget', { delay: 5, budget: 0.1 }, "option 'budget' must be a retry budget, or false, got 0.1"],
  ])('is not made with %s', (_what, options, message) => {
    expect(() => hedge(options as { delay: number })).toThrow(message)
  })
})

describe('the budget of hedges', () => {
  it('70: refuses the hedge, and leaves the attempts that run alone', async () => {
    const clock = fakeClock()
    const budget = retryBudget({ name: 'shared', ratio: 0, minPerSecond: 0, clock })
    const policy = hedge({ delay: 10, budget, clock })
    const events: HedgeEvent[] = []
    policy.on((event) => events.push(event))
    const work = attempts()
    const answer = policy.execute(work.run)
    await clock.advance(100)
    expect(work.calls).toHaveLength(1)
    work.finish(1)
    expect(await answer).toBe('answer 1')
    expect(policy.status()).toMatchObject({ hedges: 0, suppressed: 1 })
    expect(events).toMatchObject([{ type: 'hedge.suppressed', attempt: 2, budget: 'shared' }])
  })

  it('72: when everything is slow, the rate of hedges falls to what the budget allows', async () => {
    const clock = fakeClock()
    const policy = hedge({ delay: 50, clock }) // its own budget: one for ten calls, and one per second
    const answers: Promise<unknown>[] = []
    let asked = 0
    const slow = (): Promise<void> => {
      asked++
      return new Promise<void>((resolve) => clock.setTimer(resolve, 1_000))
    }
    for (let call = 0; call < 1_000; call++) {
      answers.push(policy.execute(slow))
      await clock.advance(10)
    }
    await clock.advance('5s')
    await Promise.all(answers)
    expect(asked).toBeGreaterThan(1_080)
    expect(asked).toBeLessThan(1_130)
    expect(policy.status().suppressed).toBe(2_000 - asked)
  })

  it('by concurrency: hedges that run side by side take a place each, those that follow one another one', async () => {
    const clock = fakeClock()
    const budget = concurrentRetryBudget({ maxRatio: 0, minConcurrency: 2 })
    const policy = hedge({ delay: 10, maxHedges: 4, hedgeOnFailure: true, budget, clock })
    const [first, second] = [attempts(), attempts()]
    const answers = [policy.execute(first.run)]
    await clock.advance(20)
    expect([first.calls.length, budget.status().available]).toEqual([3, 0])
    answers.push(policy.execute(second.run))
    await clock.advance(10)
    expect([first.calls.length, second.calls.length, policy.status().suppressed]).toEqual([3, 1, 2])
    first.fail(2, new Error('no'))
    await clock.advance(0)
    expect([first.calls.length, budget.status().available]).toEqual([4, 0]) // in the place of the one that failed
    first.finish(1)
    await answers[0]
    expect(budget.status().available).toBe(2)
    second.finish(1)
    await answers[1]
    expect(budget.status().available).toBe(2)
  })

  it('stays as it is when other settings are taken', async () => {
    const clock = fakeClock()
    const policy = hedge({ delay: 10, clock })
    policy.reconfigure({ delay: 20, maxHedges: 3 })
    expect(policy.describe()).toMatchObject({ delayMs: 20, maxHedges: 3, budget: { ratio: 0.1, minPerSecond: 1 } })
    expect(() => policy.reconfigure({ delay: 20, percentile: 0.9 })).toThrow('but not both')
    policy.reconfigure({ delay: 20, budget: false })
    expect(policy.describe()).not.toHaveProperty('budget')
  })
})

describe('a percentile', () => {
  const answering = (clock: ReturnType<typeof fakeClock>, ms: number) => (): Promise<void> =>
    new Promise<void>((resolve) => clock.setTimer(resolve, ms))

  it('71: hedges nothing before enough durations are known', async () => {
    const clock = fakeClock()
    const policy = hedge({ percentile: 0.9, minSamples: 5, clock })
    for (let call = 0; call < 5; call++) {
      expect(policy.status().delayMs).toBeNull()
      const answer = policy.execute(answering(clock, 1_000))
      await clock.advance(1_000)
      await answer
    }
    expect(policy.status()).toMatchObject({ hedges: 0 })
    const delayMs = policy.status().delayMs ?? 0
    expect(delayMs).toBeGreaterThan(960)
    expect(delayMs).toBeLessThan(1_040)
  })

  it('71: counts successes, timeouts and attempts that were overtaken, and no fast failures', async () => {
    const clock = fakeClock()
    const policy = hedge({ percentile: 0.5, minSamples: 1, budget: false, clock })
    const failing = Array.from({ length: 50 }, () => policy.tryExecute(() => Promise.reject(new Error('at once'))))
    await Promise.all(failing)
    expect(policy.status().delayMs).toBeNull()
    const timed = pipeline({ clock }, policy, timeout({ after: 200, clock })).tryExecute(answering(clock, 5_000))
    await clock.advance(200)
    await timed
    expect(Math.round(policy.status().delayMs ?? 0)).toBeGreaterThan(190)
    let attempt = 0
    const overtaken = policy.execute(() => answering(clock, ++attempt === 1 ? 5_000 : 20)())
    await clock.advance(400)
    await overtaken
    expect(policy.status()).toMatchObject({ won: 1 })
  })

  it('71: hedges the share that it says, whatever the hedges themselves take', async () => {
    for (const [percentile, maxHedges] of [
      [0.5, 1],
      [0.75, 1],
      [0.95, 2],
    ] as const) {
      const clock = fakeClock()
      const random = seededRandom(7)
      const policy = hedge({ percentile, maxHedges, budget: false, clock })
      const hedged = new Set<number>()
      for (let call = 0; call < 4_000; call++) {
        const answer = policy.execute(({ attempt }) => {
          if (attempt > 1) hedged.add(call)
          return answering(clock, -40 * Math.log(1 - random()))()
        })
        await clock.advance(600)
        await answer
      }
      const share = hedged.size / 4_000
      expect([percentile, Math.abs(share - (1 - percentile)) < 0.025]).toEqual([percentile, true])
    }
  })

  it('follows what has changed: old durations are forgotten', async () => {
    const clock = fakeClock()
    const policy = hedge({ percentile: 0.95, budget: false, idempotent: false, clock })
    const run = async (calls: number, ms: number): Promise<void> => {
      for (let call = 0; call < calls; call++) {
        const answer = policy.execute(answering(clock, ms))
        await clock.advance(ms)
        await answer
      }
    }
    await run(600, 400)
    expect(policy.status().delayMs).toBeGreaterThan(380)
    await run(1_001, 10)
    expect(policy.status().delayMs).toBeLessThan(11)
  })
})
