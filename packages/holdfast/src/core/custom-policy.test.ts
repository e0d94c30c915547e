import { getEventListeners } from 'node:events'
import { bulkhead, childCall, parts, pipeline, policy, retry, timeout, type Call, type Flow, type Layer, type Sink } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it, vi } from 'vitest'
import { expectNoUnhandledRejection } from '../../../../test/support/unhandled-rejections.ts'
import { recordingGate } from './recording-gate.fixture.ts'

function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

function flow(start: Flow['start']) {
  return policy({ name: 'mine', parts: { kind: 'flow', start } })
}

expectNoUnhandledRejection()

describe('a flow of the user’s', () => {
  it('may answer by itself, change the answer, or pass it on', async () => {
    const cached = flow((_next, _call, out) => out.settle(true, 'cached'))
    const doubled = flow((next, call, out) =>
      next.start(call, { settle: (ok, value) => out.settle(ok, ok ? (value as number) * 2 : value) }),
    )
    const passed = flow((next, call, out) => next.start(call, out))
    const run = vi.fn(() => 4)
    expect(await cached.execute(run)).toBe('cached')
    expect(run).not.toHaveBeenCalled()
    expect(await doubled.execute(run)).toBe(8)
    expect(await passed.execute(run)).toBe(4)
  })

  it('sees the call as the function does', async () => {
    const seen: Call[] = []
    const watch = flow((next, call, out) => {
      seen.push(call)
      next.start(call, out)
    })
    await watch.execute((call) => void seen.push(call), { key: 'k' })
    expect(seen[0]).toBe(seen[1])
    expect(seen[0]?.key).toBe('k')
  })

  it('may wait before it starts what is inside', async () => {
    const clock = fakeClock()
    const slow = flow((next, call, out) => void clock.setTimer(() => next.start(call, out), 100))
    const outcome = slow.execute(() => clock.now())
    await clock.advance('1s')
    expect(await outcome).toBe(100)
  })

  it('may be an async function; what it throws, before or after an await, fails the call', async () => {
    const error = new TypeError('mine')
    const starts: Flow['start'][] = [
      () => {
        throw error
      },
      async () => {
        throw error
      },
      async () => {
        await settle()
        throw error
      },
    ]
    for (const start of starts) {
      const gate = recordingGate()
      expect(await pipeline(gate.policy, flow(start)).tryExecute(() => 'value')).toEqual({ ok: false, error })
      expect(gate.log).toEqual(['failure', 'left'])
    }
    const awaits = flow(async (next, call, out) => {
      await settle()
      next.start(call, out)
    })
    expect(await awaits.execute(() => 'value')).toBe('value')
  })

  it('that throws where it is told an answer fails the call, and loses no place', async () => {
    const error = new TypeError('mine')
    const gate = recordingGate()
    const broken = flow((next, call) =>
      next.start(call, {
        settle() {
          throw error
        },
      }),
    )
    for (const run of [() => 'at once', () => Promise.resolve('later')]) {
      expect(await pipeline(gate.policy, broken, gate.policy).tryExecute(run)).toEqual({ ok: false, error })
    }
    expect(gate.held).toBe(0)
  })

  it('that answers while a call inside still runs gives no place back before that has ended', async () => {
    const gate = recordingGate()
    let end = (): void => undefined
    const impatient = flow((next, call, out) => {
      next.start(call, { settle: () => undefined })
      out.settle(true, 'at once')
    })
    const slow = (): Promise<void> =>
      new Promise((resolve) => {
        end = resolve
      })
    expect(await pipeline(gate.policy, impatient).execute(slow)).toBe('at once')
    expect(gate.log).toEqual(['success'])
    end()
    await settle()
    expect(gate.log).toEqual(['success', 'left'])
  })

  it('that answers twice, or throws after its answer, is heard once', async () => {
    const gate = recordingGate()
    const eager = flow((next, call, out) => {
      out.settle(true, 'first')
      next.start(call, out)
      throw new Error('third')
    })
    expect(await pipeline(gate.policy, eager).execute(() => 'second')).toBe('first')
    await settle()
    expect(gate.log).toEqual(['success', 'left'])
    expect(gate.held).toBe(0)
  })

  it('is not started for a caller who has left', async () => {
    const clock = fakeClock()
    const start = vi.fn()
    const deaf = flow((next, call, out) => void clock.setTimer(() => next.start(call, out), 2_000))
    const outcome = pipeline(timeout({ after: '1s', clock }), deaf, flow(start)).tryExecute(() => 'value')
    await clock.advance('3s')
    expect(await outcome).toMatchObject({ ok: false, error: { code: 'ERR_TIMEOUT' } })
    expect(start).not.toHaveBeenCalled()
  })
})

describe('a flow that is deaf to cancellation', () => {
  /** Does its own work for two seconds, whatever happens. */
  const deafFor2s = (clock: ReturnType<typeof fakeClock>) =>
    flow((next: Layer, call: Call, out: Sink) => void clock.setTimer(() => next.start(call, out), 2_000))

  it('does not keep a caller who leaves, nor his listener', async () => {
    const clock = fakeClock()
    const caller = new AbortController()
    const run = vi.fn()
    const outcome = deafFor2s(clock).tryExecute(run, { signal: caller.signal })
    await clock.advance('1s')
    caller.abort('left')
    expect(await outcome).toEqual({ ok: false, error: 'left' })
    expect(getEventListeners(caller.signal, 'abort')).toEqual([])
    await clock.advance('2s')
    expect(run).not.toHaveBeenCalled()
  })

  it('under a timeout: the caller is told at its time, and a place outside is taken until the flow is done', async () => {
    for (const order of ['bulkhead outside', 'timeout outside'] as const) {
      const clock = fakeClock()
      const places = bulkhead({ maxConcurrent: 1, clock })
      const limit = timeout({ after: '1s', clock })
      const outcome = (
        order === 'bulkhead outside' ? pipeline(places, limit, deafFor2s(clock)) : pipeline(limit, places, deafFor2s(clock))
      ).tryExecute(() => 'late')
      await clock.advance('1s')
      expect(await outcome).toMatchObject({ ok: false, error: { code: 'ERR_TIMEOUT' } })
      expect(places.status().running).toBe(1)
      await clock.advance('1s')
      expect(places.status()).toMatchObject({ running: 0, failed: 1, succeeded: 0 })
    }
  })

  it('and a bare object with parts: a timeout tells the caller all the same, and takes no later answer', async () => {
    const clock = fakeClock()
    let answer: Sink | undefined
    const bare = { [parts]: { kind: 'flow' as const, start: (_next: Layer, _call: Call, out: Sink) => void (answer = out) } }
    const outcome = pipeline(timeout({ after: '1s', clock }), bare).tryExecute(() => 'late')
    await clock.advance('1s')
    expect(await outcome).toMatchObject({ ok: false, error: { code: 'ERR_TIMEOUT' } })
    expect(() => answer?.settle(true, 'late')).not.toThrow()
  })

  it('under a deadline of the caller’s, with a retry outside: nothing is tried again', async () => {
    const clock = fakeClock()
    const started = vi.fn()
    const guarded = pipeline(retry({ clock }), flow(started))
    const outcome = guarded.tryExecute(() => 'late', { deadline: '1s' })
    await clock.advance('1m')
    expect(await outcome).toMatchObject({ ok: false, error: { code: expect.stringMatching(/ERR_DEADLINE_EXCEEDED/) as unknown } })
    expect(started).toHaveBeenCalledTimes(1)
  })
})

describe('childCall', () => {
  it('gives each start its own signal, attempt number and end', async () => {
    const signals: AbortSignal[] = []
    const twice = flow((next, call, out) => {
      const first = childCall(call, { attempt: 7 })
      const second = childCall(call)
      next.start(first, { settle: () => first.close() })
      next.start(second, {
        settle: (ok, value) => {
          second.close()
          out.settle(ok, value)
        },
      })
      first.cancel('not needed')
    })
    const value = await twice.execute((call) => {
      signals.push(call.signal)
      return Promise.resolve(call.attempt)
    })
    expect(value).toBe(1)
    expect(signals.map(({ aborted, reason }) => [aborted, reason as unknown])).toEqual([
      [true, 'not needed'],
      [false, undefined],
    ])
  })

  it('cancelled without a reason has an AbortError for one, so that everybody hears of it', async () => {
    const caller = new AbortController()
    const impatient = flow((next, call, out) => {
      const child = childCall(call)
      next.start(child, out)
      child.cancel()
      child.close()
    })
    const outcome = await impatient.tryExecute(() => new Promise(() => undefined), { signal: caller.signal })
    expect(outcome).toMatchObject({ ok: false, error: { name: 'AbortError' } })
    expect(getEventListeners(caller.signal, 'abort')).toEqual([])
  })

  it('never has a later deadline than the call outside', async () => {
    const clock = fakeClock()
    const deadlines: number[] = []
    const child = flow((next, call, out) => {
      for (const deadlineAt of [50, 5_000]) deadlines.push(childCall(call, { deadlineAt }).deadlineAt)
      next.start(childCall(call), out)
    })
    await pipeline(timeout({ after: '1s', clock }), child).execute(({ deadlineAt }) => deadlines.push(deadlineAt))
    expect(deadlines).toEqual([50, 1_000, 1_000])
  })

  it('refuses an attempt that is no count', async () => {
    const wrong = flow((_next, call) => void childCall(call, { attempt: 0 }))
    await expect(wrong.execute(() => 1)).rejects.toThrow(/^childCall: option 'attempt' must be a whole number from 1 up, got 0$/)
  })
})

describe('policy', () => {
  it('says what its maker says of it, under its own kind and name', () => {
    const mine = policy({
      name: 'mine',
      parts: [],
      settings: { kind: 'x', maxTenants: 5 },
      status: () => ({ tenants: 3 }),
      health: () => ({ status: 'warn', reason: 'nearly full' }),
    })
    expect(mine.describe()).toEqual({ kind: 'custom', name: 'mine', maxTenants: 5 })
    expect(mine.status()).toEqual({ kind: 'custom', name: 'mine', tenants: 3 })
    expect(mine.health()).toEqual({ status: 'warn', reason: 'nearly full' })
    expect(pipeline(retry(), mine).health()).toEqual({ status: 'warn', reason: 'nearly full' })
    expect(recordingGate().policy.status()).toEqual({ kind: 'custom', name: 'recording' })
    expect(recordingGate().policy.health()).toEqual({ status: 'pass' })
  })

  it.each<[string, unknown, RegExp]>([
    ['no parts', { name: 'x' }, /^x: option 'parts' must be a gate .* or a flow .*, got undefined$/],
    ['null', { name: 'x', parts: null }, /got null$/],
    ['a part of no kind', { name: 'x', parts: [{ start: () => undefined }] }, /got an object$/],
    ['a flow that cannot start', { name: 'x', parts: { kind: 'flow' } }, /got an object$/],
    ['a gate that cannot settle', { name: 'x', parts: { kind: 'gate', admit: () => 1 } }, /got an object$/],
    ['a part among others', { name: 'x', parts: [{ kind: 'flow', start: () => undefined }, 5] }, /got 5$/],
    ['a misspelt option', { name: 'x', part: [] }, /there is no option 'part' \(did you mean 'parts'\?\)/],
    ['a status that is no function', { name: 'x', parts: [], status: {} }, /option 'status' must be a function/],
    ['a name that is none', { name: '', parts: [] }, /option 'name' must be a text/],
    ['nothing', undefined, /options must be an object/],
  ])('refuses %s', (_what, options, message) => {
    expect(() => policy(options as never)).toThrow(message)
  })
})
