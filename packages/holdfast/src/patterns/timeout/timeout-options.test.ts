import { isHoldfastError, timeout } from 'holdfast'
import { fakeClock, type FakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'

const never = (): Promise<never> => new Promise(() => undefined)
const keepsProcessAlive = (clock: FakeClock): boolean => clock.timers.some(({ ref }) => ref)

function messageOf(make: () => unknown): string {
  try {
    make()
  } catch (error) {
    if (isHoldfastError(error, 'ERR_INVALID_OPTION')) return error.message
    throw error
  }
  throw new Error('the options were accepted')
}

describe('75: how long', () => {
  it('0, NaN, negative and unreadable values are refused with what is allowed', () => {
    const allowed =
      "timeout: option 'after' must be a duration such as 250 (ms), '250ms', '30s', '5m', '2h' or '7d' of at least 1 ms, or Infinity, got "
    for (const value of [0, Number.NaN, -1, -Infinity, 0.5, 1e300, undefined, true]) {
      expect(messageOf(() => timeout(value as never))).toBe(`${allowed}${value}`)
      expect(messageOf(() => timeout({ after: value } as never))).toBe(`${allowed}${value}`)
    }
    for (const text of ['', '1', '2 s', '-2s', '1w', 'Infinity'])
      expect(messageOf(() => timeout(text as never))).toBe(`${allowed}"${text}"`)
  })

  it('other options are refused as well', () => {
    expect(messageOf(() => timeout(null as never))).toBe('timeout: options must be an object, got null')
    expect(messageOf(() => timeout([] as never))).toBe('timeout: options must be an object, got an array of 0')
    expect(messageOf(() => timeout({ after: '1s', strategy: 'aggressive' } as never))).toBe(
      "timeout: there is no option 'strategy'; allowed: after, name, clock",
    )
    expect(messageOf(() => timeout({ afte: '1s' } as never))).toMatch(/did you mean 'after'\?/)
    expect(messageOf(() => timeout({ after: '1s', name: 5 } as never))).toBe(
      "timeout: option 'name' must be a text of 1 to 200 characters, got 5",
    )
  })

  it('Infinity never times out, and sets no timer', async () => {
    const clock = fakeClock()
    const limit = timeout({ after: Infinity, clock })
    const caller = new AbortController()
    const outcome = limit.tryExecute(never, { signal: caller.signal })
    await clock.advance('3650d')
    expect(clock.timers).toEqual([])
    caller.abort('enough')
    expect(await outcome).toEqual({ ok: false, error: 'enough' })
    expect(limit.status().timeouts).toBe(0)
  })

  it('more than the longest timer is waited for in full', async () => {
    const clock = fakeClock()
    const limit = timeout({ after: '30d', clock })
    const outcome = limit.tryExecute(never)
    expect(clock.timers[0]?.dueAt).toBe(2 ** 31 - 1)
    await clock.advance(30 * 86_400_000 - 1)
    expect(limit.status().timeouts).toBe(0)
    await clock.advance(1)
    expect(await outcome).toMatchObject({ ok: false, error: { code: 'ERR_TIMEOUT' } })
  })

  it('describe() and status() say it in milliseconds', () => {
    expect(timeout('2s').describe()).toEqual({ kind: 'timeout', name: 'timeout', afterMs: 2_000 })
    expect(timeout({ name: 'total', after: 250 }).status()).toEqual({
      kind: 'timeout',
      name: 'total',
      afterMs: 250,
      timeouts: 0,
      abandoned: 0,
    })
    expect(timeout(Infinity).describe()).toEqual({ kind: 'timeout', name: 'timeout' })
  })
})

describe('75: the timer', () => {
  it('keeps the process alive while a caller waits, and no longer', async () => {
    const clock = fakeClock()
    const limit = timeout({ after: '1s', clock })
    expect(clock.timers).toEqual([])
    let answer: (value: unknown) => void = () => undefined
    const outcome = limit.tryExecute(() => new Promise((resolve) => (answer = resolve)))
    expect(keepsProcessAlive(clock)).toBe(true)
    answer('done')
    await outcome
    expect(keepsProcessAlive(clock)).toBe(false)

    const next = limit.tryExecute(never)
    expect(keepsProcessAlive(clock)).toBe(true)
    await clock.advance('1s')
    await next
    expect(keepsProcessAlive(clock)).toBe(false)
  })

  it('is one for all calls of a policy, and is gone once an idle policy has let it run out', async () => {
    const clock = fakeClock()
    const limit = timeout({ after: '1s', clock })
    for (let call = 0; call < 1_000; call++) await limit.execute(() => call)
    expect(clock.timers.length).toBe(1)
    await clock.advance('1s')
    expect(clock.timers).toEqual([])
  })

  it('waits for the next call when the first one has ended', async () => {
    const clock = fakeClock()
    const limit = timeout({ after: '1s', clock })
    await limit.execute(() => 1)
    await clock.advance('500ms')
    const outcome = limit.tryExecute(never)
    await clock.advance('999ms')
    expect(limit.status().timeouts).toBe(0)
    await clock.advance('1ms')
    expect(await outcome).toMatchObject({ ok: false, error: { code: 'ERR_TIMEOUT' } })
  })

  it('survives a clock that steps back: late, but never lost', async () => {
    const clock = fakeClock({ startMs: 100_000 })
    const limit = timeout({ after: '1s', clock })
    const outcome = limit.tryExecute(never)
    clock.step(-500)
    await clock.advance('1500ms')
    expect(await outcome).toMatchObject({ ok: false, error: { code: 'ERR_TIMEOUT' } })
  })
})
