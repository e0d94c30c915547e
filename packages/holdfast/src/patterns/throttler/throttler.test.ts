import { pipeline, throttler, timeout, type Permit, type ThrottlerOptions } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'

describe('a throttler', () => {
  it('lets so many run at once, and has the others wait for a place', async () => {
    const door = throttler({ maxConcurrent: 2 })
    const places = [door.tryAcquire() as Permit, door.tryAcquire() as Permit]
    const waiting = door.execute(() => 'in')
    expect(door.status()).toMatchObject({ running: 2, queued: 1 })
    places[0]?.success()
    expect(await waiting).toBe('in')
    places[1]?.success()
    expect(door.status()).toMatchObject({ running: 0, queued: 0, admitted: 3 })
  })

  it('gives a place back at the end of a block', async () => {
    const door = throttler({ maxConcurrent: 1 })
    {
      using place = await door.acquire()
      expect([place.refused, door.status().running]).toEqual([false, 1])
    }
    expect(door.status().running).toBe(0)
  })

  it('starts calls evenly, not in bursts, however they come', async () => {
    const clock = fakeClock()
    const door = throttler({ perSecond: 4, clock })
    const startedAt: number[] = []
    const answers = Array.from({ length: 5 }, () => door.execute(() => startedAt.push(clock.now())))
    await clock.advance(1_000)
    await Promise.all(answers)
    expect(startedAt).toEqual([0, 250, 500, 750, 1_000])
    await clock.advance(10_000)
    await door.execute(() => startedAt.push(clock.now()))
    expect(startedAt.at(-1)).toBe(11_000)
    expect(clock.timers).toEqual([])
  })

  it('has both limits at once', async () => {
    const clock = fakeClock()
    const door = throttler({ maxConcurrent: 1, spacing: 100, clock })
    const startedAt: number[] = []
    const run = async (): Promise<void> => {
      startedAt.push(clock.now())
      await new Promise<void>((resolve) => clock.setTimer(resolve, startedAt.length === 1 ? 250 : 10))
    }
    const answers = [door.execute(run), door.execute(run), door.execute(run)]
    await clock.advance(1_000)
    await Promise.all(answers)
    expect(startedAt).toEqual([0, 250, 350])
  })

  it('refuses at once who would surely wait for too long, with the time after which it would not', async () => {
    const clock = fakeClock()
    const door = throttler({ name: 'calls', spacing: 100, maxWait: 250, clock })
    const answers = [1, 2, 3, 4, 5].map(() => door.tryExecute(() => 'in'))
    expect(await answers[4]).toMatchObject({ ok: false, refusal: { code: 'ERR_THROTTLE_WAIT', policy: 'calls', retryAfterMs: 300 } })
    expect(await answers[3]).toMatchObject({ ok: false, refusal: { code: 'ERR_THROTTLE_WAIT' } })
    await clock.advance(200)
    expect(await Promise.all(answers.slice(0, 3))).toEqual(Array.from({ length: 3 }, () => ({ ok: true, value: 'in' })))
  })

  it('refuses who has less time than the wait takes', async () => {
    const clock = fakeClock()
    const door = throttler({ spacing: 100, clock })
    await door.execute(() => 1)
    const hurried = pipeline({ clock }, timeout({ after: 50, clock }), door)
    await expect(hurried.execute(() => 2)).rejects.toMatchObject({ code: 'ERR_THROTTLE_WAIT' })
    const patient = pipeline({ clock }, timeout({ after: 150, clock }), door).execute(() => 3)
    await clock.advance(100)
    expect(await patient).toBe(3)
  })

  it('serves higher priorities first, and turns the least important away when the queue is full', async () => {
    const door = throttler({ maxConcurrent: 1, maxQueued: 2 })
    const place = door.tryAcquire() as Permit
    const served: string[] = []
    const answers = (['low', 'normal', 'critical'] as const).map((priority) => door.tryExecute(() => served.push(priority), { priority }))
    expect(await answers[0]).toMatchObject({ ok: false, refusal: { code: 'ERR_THROTTLED' } })
    place.success()
    await Promise.all(answers)
    expect(served).toEqual(['critical', 'normal'])
    expect(door.status()).toMatchObject({ displaced: 1, rejected: 1 })
  })

  it('tells why it refuses, and when it is full', async () => {
    const clock = fakeClock({ wallMs: 9 })
    const door = throttler({ name: 'door', maxConcurrent: 1, maxQueued: 1, clock })
    const events: unknown[] = []
    door.on((event) => events.push(event))
    const place = door.tryAcquire() as Permit
    const waiting = door.execute(() => 1)
    expect(door.health()).toEqual({ status: 'warn', reason: "throttler 'door' is full: 1 run, 1 wait" })
    expect(door.tryAcquire()).toMatchObject({ code: 'ERR_THROTTLED' })
    await Promise.resolve()
    expect(events).toEqual([{ type: 'throttler.rejected', policy: 'door', at: 9, code: 'ERR_THROTTLED', running: 1, queued: 1 }])
    place.success()
    await waiting
    expect(door.health()).toEqual({ status: 'pass' })
  })

  it('takes other settings while calls wait', async () => {
    const clock = fakeClock()
    const door = throttler({ spacing: '10s', clock })
    await door.execute(() => 1)
    const waiting = door.execute(() => clock.now())
    await clock.advance(1_000)
    door.reconfigure({ spacing: '2s', maxQueued: 5 })
    expect(door.describe()).toEqual({ kind: 'throttler', name: 'throttler', spacingMs: 2_000, maxQueued: 5 })
    await clock.advance(1_000)
    expect(await waiting).toBe(2_000)
    expect(() => door.reconfigure({})).toThrow("option 'maxConcurrent' must be given, or 'perSecond', or 'spacing'")
    expect(door.status().spacingMs).toBe(2_000)
  })

  it('114: disposed of, turns all away and owns no timer', async () => {
    const clock = fakeClock()
    const door = throttler({ spacing: 100, maxWait: '1m', clock })
    await door.execute(() => 1)
    const waiting = door.tryExecute(() => 2)
    door.dispose()
    expect(await waiting).toMatchObject({ ok: false, refusal: { code: 'ERR_DISPOSED' } })
    await expect(door.execute(() => 3)).rejects.toMatchObject({ code: 'ERR_DISPOSED' })
    await clock.advance('2m')
    expect(clock.timers).toEqual([])
    expect(door.health()).toMatchObject({ status: 'fail' })
  })

  it.each<[string, object, string]>([
    ['nothing to limit', {}, "option 'maxConcurrent' must be given"],
    ['two rates', { perSecond: 5, spacing: 5 }, "option 'spacing' must be absent when 'perSecond' is given"],
    ['no places', { maxConcurrent: 0 }, "option 'maxConcurrent' must be a whole number from 1 up, or Infinity"],
    ['a rate of nothing', { perSecond: 0 }, "option 'perSecond' must be a number from 0.000001"],
    ['no number', { perSecond: Number.NaN }, "option 'perSecond' must be"],
    ['a misspelt option', { maxConcurent: 5 }, "did you mean 'maxConcurrent'?"],
  ])('is not made with %s', (_what, options, message) => {
    expect(() => throttler(options as ThrottlerOptions)).toThrow(message)
  })
})
