import { bulkhead, isHoldfastError, pipeline, refusal, retry, timeout, type CallOptions, type Policy } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it, vi } from 'vitest'
import { recordingGate } from './recording-gate.fixture.ts'

/** One policy of each way that the inside is compiled: no layer, gates only, a flow. */
const ways: Record<string, () => Policy> = {
  'no layer': () => pipeline(),
  'gates only': () => bulkhead({ maxConcurrent: 5 }),
  'a flow': () => timeout({ after: '1s', clock: fakeClock() }),
  'all kinds': () => pipeline(retry({ clock: fakeClock() }), bulkhead({ maxConcurrent: 5 }), timeout({ after: '1s', clock: fakeClock() })),
}

describe.each(Object.entries(ways))('with %s', (_way, make) => {
  it('execute answers with the result, and throws the very error of the function', async () => {
    const error = new TypeError('mine')
    expect(await make().execute(() => 5)).toBe(5)
    expect(await make().execute(async () => 'later')).toBe('later')
    await expect(make().execute(() => Promise.reject(error))).rejects.toBe(error)
  })

  it('21: a function that throws before its first await rejects like any other', async () => {
    const error = new TypeError('at once')
    const run = (): never => {
      throw error
    }
    const promise = make().execute(run)
    expect(promise).toBeInstanceOf(Promise)
    await expect(promise).rejects.toBe(error)
    expect(await make().tryExecute(run)).toEqual({ ok: false, error })
  })

  it('starts the function at once, not in a later microtask', () => {
    const run = vi.fn()
    void make().execute(run)
    expect(run).toHaveBeenCalledTimes(1)
  })

  it('22: takes values that are no promises, and thenables, as they are', async () => {
    const values = [undefined, null, 0, '', false, 7n, Symbol.iterator, () => 5, { plain: true }, [1]]
    for (const value of values) expect(await make().execute(() => value)).toBe(value)
    // oxlint-disable-next-line unicorn/no-thenable
    expect(await make().execute(() => ({ then: (resolve: (value: number) => void) => resolve(5) }) as unknown as PromiseLike<number>)).toBe(
      5,
    )
  })

  it('22: a thenable that answers twice, or throws after its answer, counts once', async () => {
    const gate = recordingGate()
    const guarded = pipeline(make(), gate.policy)
    const hostile = [
      (resolve: (value: string) => void, reject: (error: unknown) => void): void => {
        resolve('first')
        resolve('second')
        reject(new Error('third'))
      },
      (resolve: (value: string) => void): void => {
        resolve('first')
        throw new Error('after all')
      },
    ]
    // oxlint-disable-next-line unicorn/no-thenable
    for (const then of hostile) expect(await guarded.execute(() => ({ then }) as unknown as PromiseLike<string>)).toBe('first')
    expect(gate.log).toEqual(['success', 'left', 'success', 'left'])
  })

  it('22: a thenable whose then cannot be read, or throws at once, is a failure', async () => {
    const gate = recordingGate()
    const guarded = pipeline(make(), gate.policy)
    const error = new Error('hostile')
    const unreadable = Object.defineProperty({}, 'then', {
      get() {
        throw error
      },
    })
    const throwing = {
      // oxlint-disable-next-line unicorn/no-thenable
      then() {
        throw error
      },
    }
    for (const thenable of [unreadable, throwing]) expect(await guarded.tryExecute(() => thenable)).toEqual({ ok: false, error })
    expect(gate.log).toEqual(['failure', 'left', 'failure', 'left'])
  })

  it('what is no function is refused with a hint, and takes no place', async () => {
    const gate = recordingGate()
    const guarded = pipeline(make(), gate.policy)
    for (const wrong of [undefined, null, 5, 'run', {}]) {
      await expect(guarded.execute(wrong as never)).rejects.toMatchObject({
        code: 'ERR_INVALID_ARGUMENT',
        message: expect.stringMatching(/^the protected function must be a function, got /),
      })
    }
    await expect(guarded.execute(Promise.resolve(5) as never)).rejects.toThrow(
      /hand in the function that starts the work, not its promise$/,
    )
    expect(gate.log).toEqual([])
  })

  it('tryExecute never rejects, whatever it is given', async () => {
    for (const [run, options] of [
      [5, undefined],
      [() => 1, null],
      [() => 1, 'fast'],
      [() => 1, { signal: 'x' }],
      [() => 1, { deadline: '5 parsecs' }],
    ]) {
      const outcome = await make().tryExecute(run as () => number, options as CallOptions)
      expect(outcome).toMatchObject({ ok: false })
      expect(isHoldfastError(outcome.error)).toBe(true)
    }
  })

  it('an error that a function throws on purpose to look like a refusal stays what it is', async () => {
    const lookAlike = { refused: true, code: 'ERR_BULKHEAD_FULL', policy: 'x' }
    await expect(make().execute(() => Promise.reject(lookAlike))).rejects.toBe(lookAlike)
    expect(await make().tryExecute(() => Promise.reject(lookAlike))).toEqual({ ok: false, error: lookAlike })
  })

  it('a refusal that a function throws (of a permit it did not get) is thrown as the error it stands for', async () => {
    const refused = refusal('ERR_WOULD_WAIT', 'inner', 5)
    for (const run of [
      () => Promise.reject(refused),
      (): never => {
        throw refused
      },
    ]) {
      await expect(make().execute(run)).rejects.toMatchObject({
        name: 'HoldfastError',
        code: 'ERR_WOULD_WAIT',
        policy: 'inner',
        retryAfterMs: 5,
      })
      expect(await make().tryExecute(run)).toEqual({ ok: false, refusal: refused })
    }
  })
})

describe('wrap', () => {
  it('keeps this, all arguments and the result', async () => {
    const account = {
      balance: 10,
      add(this: { balance: number }, ...amounts: number[]): number {
        return amounts.reduce((sum, amount) => sum + amount, this.balance)
      },
      safeAdd: bulkhead({ maxConcurrent: 5 }).wrap(function (this: { balance: number }, ...amounts: number[]): number {
        return amounts.reduce((sum, amount) => sum + amount, this.balance)
      }),
    }
    expect(await account.safeAdd(1, 2, 3)).toBe(account.add(1, 2, 3))
    expect(await retry().wrap(account.add).call({ balance: 100 }, 1)).toBe(101)
  })

  it('runs the arguments again on each attempt', async () => {
    const seen: string[] = []
    const send = retry({ initialDelay: 0, clock: fakeClock() }).wrap((text: string) => {
      if (seen.push(text) < 3) throw Object.assign(new Error('reset'), { code: 'ECONNRESET' })
      return seen.length
    })
    expect(await send('hello')).toBe(3)
    expect(seen).toEqual(['hello', 'hello', 'hello'])
  })

  it('refuses at once what is no function', () => {
    expect(() => retry().wrap(5 as never)).toThrow(/must be a function, got 5/)
  })
})

describe('options of a call', () => {
  it('a signal that is aborted already: nothing runs and no place is taken', async () => {
    const gate = recordingGate()
    const run = vi.fn()
    for (const reason of [new Error('left'), 'left', null, 0, false]) {
      expect(await pipeline(retry(), gate.policy).tryExecute(run, { signal: AbortSignal.abort(reason) })).toEqual({
        ok: false,
        error: reason,
      })
    }
    await expect(gate.policy.execute(run, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' })
    expect(run).not.toHaveBeenCalled()
    expect(gate.log).toEqual([])
  })

  it('a deadline gives the call up at its time, and not after an answer', async () => {
    const clock = fakeClock()
    const gate = recordingGate()
    const guarded = pipeline({ clock }, gate.policy)
    expect(await guarded.execute(() => 'in time', { deadline: '1s' })).toBe('in time')
    expect(clock.timers.map(({ ref }) => ref)).toEqual([false])
    const late = guarded.tryExecute(() => new Promise(() => undefined), { deadline: '2s' })
    await clock.advance('2s')
    expect(await late).toEqual({ ok: false, error: expect.objectContaining({ code: 'ERR_DEADLINE_EXCEEDED' }) as unknown })
    expect(gate.log).toEqual(['success', 'left', 'failure'])
    expect(clock.timers).toEqual([])
  })

  it('78: a deadline that has passed on arrival ends the call before its work', async () => {
    const run = vi.fn()
    const gate = recordingGate()
    expect(await gate.policy.tryExecute(run, { deadline: 0 })).toMatchObject({ ok: false, error: { code: 'ERR_DEADLINE_EXCEEDED' } })
    expect(run).not.toHaveBeenCalled()
    expect(gate.log).toEqual([])
  })

  it('a deadline of Infinity is none', async () => {
    const clock = fakeClock()
    await pipeline({ clock }, retry({ clock })).execute(({ deadlineAt }) => expect(deadlineAt).toBe(Infinity), { deadline: Infinity })
    expect(clock.timers).toEqual([])
  })

  it.each<[string, unknown, RegExp]>([
    ['signal', { signal: {} }, /^execute: option 'signal' must be an AbortSignal, got an object$/],
    ['deadline', { deadline: '5' }, /^execute: option 'deadline' must be a duration/],
    ['deadline', { deadline: -1 }, /^execute: option 'deadline' must be a duration/],
    ['deadline of a caller who has left', { deadline: -1, signal: AbortSignal.abort() }, /^execute: option 'deadline' must be a duration/],
    ['key', { key: 5 }, /^execute: option 'key' must be a text, got 5$/],
    ['idempotency key', { idempotencyKey: '' }, /^execute: option 'idempotencyKey' must be a text of at least one character, got ""$/],
    ['labels', { labels: { model: 5 } }, /^execute: option 'labels' must be texts by name/],
    ['labels', { labels: 'gpt' }, /^execute: option 'labels' must be texts by name, got "gpt"$/],
    ['priority', { priority: 'hihg' }, /^execute: option 'priority' must be one of .* \(did you mean 'high'\?\), got "hihg"$/],
    ['cost', { cost: -1 }, /^execute: option 'cost' must be a number from 0 up/],
    ['cost', { cost: Number.NaN }, /^execute: option 'cost' must be /],
    ['cost', { cost: { tokens: Infinity } }, /^execute: option 'cost' must be /],
    ['cost', { cost: { tokens: '5' } }, /^execute: option 'cost' must be /],
    ['options', null, /^the options of a call must be an object, got null$/],
    ['options', 'fast', /^the options of a call must be an object, got "fast"$/],
  ])('a wrong %s is refused (%#), and nothing runs', async (_option, options, message) => {
    const run = vi.fn()
    const gate = recordingGate()
    await expect(gate.policy.execute(run, options as CallOptions)).rejects.toThrow(message)
    expect(run).not.toHaveBeenCalled()
    expect(gate.log).toEqual([])
  })
})
