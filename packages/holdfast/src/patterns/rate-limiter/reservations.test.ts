import fc from 'fast-check'
import { isHoldfastError, isRefusal, rateLimiter, tokensUsed, type RateLimiter, type RateLimiterEvent, type Reservation } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { mostInAnyInterval, type Use } from './rate-limiter.fixture.ts'

const algorithms = ['sliding-window', 'gcra', 'token-bucket'] as const

function reserved(limiter: RateLimiter, cost: number, key = ''): Reservation | undefined {
  const answer = limiter.tryReserve({ key, cost })
  return isRefusal(answer) ? undefined : answer
}

describe.each(algorithms)('a reservation of %s', (algorithm) => {
  it('98: is settled with what was used: less is given back, more goes into debt', () => {
    const limiter = rateLimiter({ limit: 1_000, window: '60s', algorithm, clock: fakeClock() })
    const first = reserved(limiter, 900) as Reservation
    expect(first.cost).toEqual({ requests: 900 })
    expect(reserved(limiter, 200)).toBeUndefined()
    first.settle(300)
    expect(limiter.currentRate()).toBe(300)
    reserved(limiter, 700)?.settle(1_200)
    expect(limiter.usage()).toMatchObject({ requests: { used: 1_500, remaining: 0 } })
  })

  it('95: cancelled before its time gives everything back, once', () => {
    const limiter = rateLimiter({ limit: 10, window: '60s', algorithm, clock: fakeClock() })
    const reservation = reserved(limiter, 10) as Reservation
    reservation.cancel()
    expect(limiter.currentRate()).toBe(0)
    expect(reserved(limiter, 10)).toBeDefined()
    reservation.cancel()
    reservation.settle(0)
    expect(limiter.currentRate()).toBe(10)
  })

  it('left by a block without a word keeps what it reserved', () => {
    const limiter = rateLimiter({ limit: 10, window: '60s', algorithm, clock: fakeClock() })
    {
      using kept = limiter.tryReserve({ cost: 4 }) as Reservation
      expect(kept.key).toBe('')
    }
    expect(limiter.currentRate()).toBe(4)
  })

  it('95: gives nothing back that no longer counts, nor what another key used', () => {
    const clock = fakeClock()
    const limiter = rateLimiter({ limit: 10, window: '10s', algorithm, clock })
    const late = reserved(limiter, 10) as Reservation
    clock.tick('10s')
    reserved(limiter, 10, 'other')
    reserved(limiter, 10)
    late.cancel()
    expect(limiter.currentRate()).toBe(10)
    expect(limiter.currentRate('other')).toBe(10)
  })

  it('98: two budgets are reserved, settled and cancelled together', () => {
    const limits = { requests: { limit: 2, window: '60s', algorithm }, tokens: { limit: 100, window: '60s', algorithm } } as const
    const limiter = rateLimiter({ limits, clock: fakeClock() })
    const one = limiter.tryReserve({ cost: { requests: 1, tokens: 80 } }) as Reservation
    expect(limiter.tryReserve({ cost: { tokens: 40 } })).toMatchObject({ code: 'ERR_RATE_LIMITED' })
    one.settle({ tokens: 30 })
    expect(limiter.usage()).toMatchObject({ requests: { used: 1 }, tokens: { used: 30 } })
    ;(limiter.tryReserve({ cost: { tokens: 70 } }) as Reservation).cancel()
    expect(limiter.usage()).toMatchObject({ requests: { used: 1 }, tokens: { used: 30 } })
  })

  it('93, 95, 98: whatever is settled or cancelled when, no interval ever uses more than it may, and nothing goes below zero', () => {
    const step = fc.record({
      do: fc.constantFrom('reserve', 'reserve', 'settle', 'cancel', 'tick', 'tick'),
      amount: fc.integer({ min: 1, max: 10 }),
      which: fc.nat(20),
    })
    const check = (steps: readonly { do: string; amount: number; which: number }[]): void => {
      const clock = fakeClock()
      const windowMs = 100
      const limiter = rateLimiter({ limit: 10, window: windowMs, algorithm, clock })
      const open: { reservation: Reservation; use: { at: number; cost: number } }[] = []
      const uses: { at: number; cost: number }[] = []
      for (const { do: what, amount, which } of steps) {
        if (what === 'tick') clock.tick(amount * 7)
        else if (what === 'reserve') {
          const reservation = reserved(limiter, amount)
          if (reservation === undefined) continue
          const use = { at: clock.now(), cost: amount }
          uses.push(use)
          open.push({ reservation, use })
        } else {
          const [chosen] = open.splice(which % Math.max(1, open.length), 1)
          if (chosen === undefined) continue
          // no debts here: only what was reserved can be used
          const used = what === 'cancel' ? 0 : Math.min(amount, chosen.use.cost)
          if (what === 'cancel') chosen.reservation.cancel()
          else chosen.reservation.settle(used)
          chosen.use.cost = used
        }
        expect(limiter.currentRate()).toBeGreaterThanOrEqual(0)
        expect(limiter.currentRate()).toBeLessThanOrEqual(10 + 1e-9)
        if (algorithm === 'sliding-window') expect(mostInAnyInterval(uses, windowMs)).toBeLessThanOrEqual(10)
        else expect(mostBeyondRate(uses, 10 / windowMs)).toBeLessThanOrEqual(10 + 1e-6)
      }
    }
    fc.assert(fc.property(fc.array(step, { minLength: 10, maxLength: 80, size: 'max' }), check), { numRuns: 2_000, seed: 9_598 })
  })
})

/** The most that any interval used beyond what the rate makes of its length. */
function mostBeyondRate(uses: readonly Use[], unitsPerMs: number): number {
  let most = 0
  for (const [index, first] of uses.entries()) {
    let sum = 0
    for (const { at, cost } of uses.slice(index)) {
      sum += cost
      most = Math.max(most, sum - (at - first.at) * unitsPerMs)
    }
  }
  return most
}

describe('reserve', () => {
  it('waits for its turn, and is woken by what another gives back', async () => {
    const clock = fakeClock()
    const limiter = rateLimiter({ limit: 10, window: '60s', maxQueued: 5, clock })
    const first = await limiter.reserve({ cost: 8 })
    const second = limiter.reserve({ cost: 5 })
    await clock.advance('1s')
    first.settle(2)
    await clock.advance('1ms')
    expect((await second).cost).toEqual({ requests: 5 })
    expect(limiter.currentRate()).toBe(7)
  })

  it('95: a caller who leaves while it waits, or as it comes, has reserved nothing', async () => {
    const clock = fakeClock()
    const limiter = rateLimiter({ limit: 10, window: '60s', maxQueued: 5, clock })
    const first = await limiter.reserve({ cost: 10 })
    const controller = new AbortController()
    const waiting = limiter.reserve({ cost: 10, signal: controller.signal })
    first.cancel()
    clock.tick('1ms') // its turn has come, and it has not heard of it
    controller.abort(new Error('gone'))
    await expect(waiting).rejects.toThrow('gone')
    expect(limiter.currentRate()).toBe(0)
    const hurried = limiter.reserve({ cost: 10, deadline: '1s' })
    await expect(limiter.reserve({ cost: 5, deadline: '1s' })).rejects.toSatisfy((error) => isHoldfastError(error, 'ERR_RATE_LIMIT_WAIT'))
    expect((await hurried).refused).toBe(false)
    await clock.advance('2s')
    expect(clock.timers.filter(({ ref }) => ref)).toEqual([])
  })

  it('refuses costs that are none', async () => {
    const limiter = rateLimiter({ limit: 10, clock: fakeClock() })
    expect(() => limiter.tryReserve({ cost: -1 })).toThrow("option 'cost.requests' must be a number from 0 up")
    await expect(limiter.reserve({ cost: { tokens: 1 } })).rejects.toThrow("there is no option 'tokens'")
    const reservation = limiter.tryReserve({ cost: 3 }) as Reservation
    expect(() => reservation.settle(Number.NaN)).toThrow('cost.requests')
    reservation.settle(1)
    expect(limiter.currentRate()).toBe(1)
  })
})

describe('a limiter that knows what calls cost', () => {
  const limits = { requests: { limit: 10, window: '60s' }, tokens: { limit: 1_000, window: '60s' } } as const

  it('98: reserves an estimate, and puts it right by the result, once', async () => {
    const limiter = rateLimiter({
      limits,
      costOf: (call) => ({ tokens: String(call.context).length * 100 }),
      actualCost: (answer) => ({ tokens: tokensUsed(answer) ?? 0 }),
      clock: fakeClock(),
    })
    const during: unknown[] = []
    const ask = (): unknown => {
      during.push(limiter.usage().tokens?.used)
      return { usage: { total_tokens: 130 } }
    }
    await limiter.execute(ask, { context: 'four' })
    await limiter.execute(ask, { context: 'four', cost: { tokens: 50 } })
    expect(during).toEqual([400, 180])
    expect(limiter.usage()).toMatchObject({ requests: { used: 2 }, tokens: { used: 260 } })
  })

  it('98: a failed call keeps what was reserved, unless the failure says that nothing was used', async () => {
    const limiter = rateLimiter({ limits, actualCost: () => ({ tokens: 1 }), refundOn: [503], clock: fakeClock() })
    const failing = (error: object) => (): Promise<never> => Promise.reject(Object.assign(new Error('no'), error))
    await limiter.tryExecute(failing({ status: 500 }), { cost: { tokens: 100 } })
    expect(limiter.usage()).toMatchObject({ requests: { used: 1 }, tokens: { used: 100 } })
    await limiter.tryExecute(failing({ status: 503 }), { cost: { tokens: 200 } })
    expect(limiter.usage()).toMatchObject({ requests: { used: 1 }, tokens: { used: 100 } })
  })

  it('98: a streamed answer is put right at its end', async () => {
    const limiter = rateLimiter({ limits, actualCost: (answer) => answer as { tokens: number }, clock: fakeClock() })
    const answer = { tokens: 500 }
    let end = (): void => {}
    await limiter.execute(
      (call) => {
        call.until(new Promise<void>((resolve) => (end = resolve)))
        return answer
      },
      { cost: { tokens: 500 } },
    )
    expect(limiter.usage()).toMatchObject({ tokens: { used: 500 } })
    answer.tokens = 20
    end()
    for (let turn = 0; turn < 5; turn++) await Promise.resolve()
    expect(limiter.usage()).toMatchObject({ tokens: { used: 20 } })
  })

  it('a function of the user that fails leaves the reserved cost, and is told of', async () => {
    const events: RateLimiterEvent[] = []
    const failing = (): never => {
      throw new Error('broken')
    }
    const limiter = rateLimiter({ limits, costOf: failing, actualCost: (() => Promise.resolve(1)) as never, clock: fakeClock() })
    limiter.on((event) => events.push(event))
    expect(await limiter.execute(() => 'fine')).toBe('fine')
    await Promise.resolve()
    expect(limiter.usage()).toMatchObject({ requests: { used: 1 }, tokens: { used: 1 } })
    expect(events).toMatchObject([
      { type: 'limiter.callback-failed', callback: 'costOf' },
      { type: 'limiter.callback-failed', callback: 'actualCost' },
    ])
  })
})

describe('tokensUsed', () => {
  it.each([
    [{ usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 } }, 7],
    [{ usage: { input_tokens: 3, output_tokens: 4, cache_creation_input_tokens: 10 } }, 17],
    [{ usage: { inputTokens: 3, outputTokens: 4, totalTokens: 7 } }, 7],
    [{ usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 4, totalTokenCount: 7 } }, 7],
    [{ usage: { total_tokens: -5 } }, undefined],
    [{ usage: null }, undefined],
    ['text', undefined],
  ])('of %o', (answer, tokens) => expect(tokensUsed(answer)).toBe(tokens))
})

describe('seats', () => {
  it('one key cannot take all of the queue', async () => {
    const clock = fakeClock()
    const limiter = rateLimiter({ limit: 1, window: '1s', maxQueued: 4, maxQueuedPerKey: 2, clock })
    const ask = (key: string): Promise<unknown> => limiter.tryExecute(() => key, { key })
    const answers = [...Array(5).fill('greedy'), ...Array(3).fill('modest')].map(ask)
    await clock.advance('10s')
    const outcomes = (await Promise.all(answers)) as { ok: boolean }[]
    expect(outcomes.map(({ ok }) => ok)).toEqual([true, true, true, false, false, true, true, true])
  })
})

it('limit is the wrapper of the specification', async () => {
  const limiter = rateLimiter({ limit: 1, clock: fakeClock() })
  const limited = limiter.limit((word: string) => word.toUpperCase())
  expect(await limited('a')).toBe('A')
  await expect(limited('b')).rejects.toSatisfy((error) => isHoldfastError(error, 'ERR_RATE_LIMITED'))
  expect(limiter.currentRate()).toBe(1)
})
