import { getEventListeners } from 'node:events'
import {
  bulkhead,
  circuitBreaker,
  isRefusal,
  policy,
  rateLimiter,
  verdictOf,
  type Acquirable,
  type Gate,
  type Permit,
  type Refusal,
} from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { recordingGate } from './recording-gate.fixture.ts'

function permitOf(answer: Permit | Refusal): Permit {
  if (answer.refused) throw new Error(`refused: ${answer.code}`)
  return answer
}

describe('a permit', () => {
  it('counts the first word it is given, and no later one', () => {
    for (const first of ['success', 'failure', 'ignore'] as const) {
      const gate = recordingGate()
      const permit = permitOf(gate.policy.tryAcquire())
      permit[first](new Error('x'))
      permit.failure(new Error('again'))
      permit.success()
      permit.ignore()
      permit[Symbol.dispose]()
      expect(gate.log).toEqual([{ success: 'success', failure: 'failure', ignore: 'ignored' }[first], 'left'])
      expect(gate.held).toBe(0)
    }
  })

  it('that was acquired behaves just the same', async () => {
    const gate = recordingGate()
    const permit = await gate.policy.acquire()
    permit.failure(new Error('x'))
    permit.success()
    expect(gate.log).toEqual(['failure', 'left'])
  })

  it('with `using` is ignored when the block ends without a word, and not when there was one', async () => {
    const gate = recordingGate()
    {
      using permit = permitOf(gate.policy.tryAcquire())
      expect(permit.refused).toBe(false)
    }
    {
      using permit = await gate.policy.acquire()
      permit.success()
    }
    const leave = (): void => {
      using permit = permitOf(gate.policy.tryAcquire())
      throw new Error(String(permit.refused))
    }
    expect(leave).toThrow('false')
    expect(gate.log).toEqual(['ignored', 'left', 'success', 'left', 'ignored', 'left'])
    expect(gate.held).toBe(0)
  })
})

describe('tryAcquire', () => {
  it('answers a permit or plain data, never waits, and never throws for want of a place', () => {
    const places = bulkhead({ maxConcurrent: 1, maxQueued: 5 })
    const permit = permitOf(places.tryAcquire())
    const refused = places.tryAcquire()
    expect(isRefusal(refused)).toBe(true)
    expect(refused).toMatchObject({ refused: true, code: 'ERR_BULKHEAD_FULL', policy: 'bulkhead' })
    expect(places.status().queued).toBe(0)
    permit.success()
    expect(places.status().running).toBe(0)
  })

  it('refuses a caller who has left, or whose time is up, and takes nothing for him', () => {
    const gate = recordingGate()
    expect(gate.policy.tryAcquire({ signal: AbortSignal.abort() })).toMatchObject({ code: 'ERR_CANCELLED', policy: 'recording' })
    expect(gate.policy.tryAcquire({ deadline: 0 })).toMatchObject({ code: 'ERR_DEADLINE_EXCEEDED', policy: 'recording' })
    expect(gate.held).toBe(0)
  })

  it('of a gate of the user’s that would wait although there is no seat takes the place back and says so', () => {
    let cancelled = 0
    const patient = policy({
      name: 'patient',
      parts: { kind: 'gate', admit: () => ({ waiting: true, cancel: () => void cancelled++ }), settle: () => undefined },
    })
    expect(patient.tryAcquire()).toEqual(expect.objectContaining({ refused: true, code: 'ERR_WOULD_WAIT', policy: 'patient' }))
    expect(cancelled).toBe(1)
  })

  it('checks the options as execute does', () => {
    const limiter = rateLimiter({ limit: 5, window: '1s' })
    expect(() => limiter.tryAcquire({ priority: 'hihg' as never })).toThrow(/option 'priority'/)
    expect(() => limiter.tryAcquire({ deadline: 'soon' as never })).toThrow(/option 'deadline'/)
    expect(() => limiter.tryAcquire(null as never)).toThrow(/options of a call must be an object/)
  })
})

describe('acquire', () => {
  it('waits for a place, in order', async () => {
    const places = bulkhead({ maxConcurrent: 1, maxQueued: 2 })
    const log: string[] = []
    const first = permitOf(places.tryAcquire())
    const second = places.acquire().then((permit) => (log.push('second'), permit))
    const third = places.acquire().then((permit) => (log.push('third'), permit))
    first.success()
    ;(await second).success()
    ;(await third).success()
    expect(log).toEqual(['second', 'third'])
    expect(places.status()).toMatchObject({ running: 0, queued: 0, succeeded: 3 })
  })

  it('rejects with the error of a refusal', async () => {
    const breaker = circuitBreaker({ name: 'payments' })
    breaker.isolate()
    await expect(breaker.acquire()).rejects.toMatchObject({ name: 'HoldfastError', code: 'ERR_CIRCUIT_ISOLATED', policy: 'payments' })
  })

  it('rejects with the reason of a caller who leaves, who then stands in no queue and has no listener', async () => {
    const places = bulkhead({ maxConcurrent: 1, maxQueued: 2 })
    const held = permitOf(places.tryAcquire())
    const caller = new AbortController()
    const waiting = places.acquire({ signal: caller.signal })
    expect(places.status().queued).toBe(1)
    caller.abort('left')
    await expect(waiting).rejects.toBe('left')
    expect(getEventListeners(caller.signal, 'abort')).toEqual([])
    held.success()
    expect(places.status()).toMatchObject({ running: 0, queued: 0 })
    await expect(places.acquire({ signal: caller.signal })).rejects.toBe('left')
  })

  it('whose caller leaves between the grant and the hand-over gives the place to the next', async () => {
    const places = bulkhead({ maxConcurrent: 1, maxQueued: 2 })
    const held = permitOf(places.tryAcquire())
    const caller = new AbortController()
    const leaving = places.acquire({ signal: caller.signal })
    const next = places.acquire()
    held.success()
    caller.abort('left')
    await expect(leaving).rejects.toBe('left')
    ;(await next).success()
    expect(places.status().running).toBe(0)
  })

  it('takes a deadline for the wait alone: it ends the wait, and leaves the work and the process alone', async () => {
    const clock = fakeClock()
    const places = bulkhead({ maxConcurrent: 1, maxQueued: 2, clock })
    const atOnce = await places.acquire({ deadline: '1s' })
    expect(clock.timers.filter(({ ref }) => ref)).toEqual([])
    const tooLong = places.acquire({ deadline: '1s' }).catch((error: unknown) => error)
    const later = places.acquire({ deadline: '3s' })
    await clock.advance('2s')
    expect(await tooLong).toMatchObject({ code: 'ERR_DEADLINE_EXCEEDED' })
    expect(places.status()).toMatchObject({ running: 1, queued: 1 })
    atOnce.failure(new Error('x'))
    const permit = await later
    expect(clock.timers.filter(({ ref }) => ref)).toEqual([])
    await clock.advance('1h')
    expect(places.status().running).toBe(1)
    permit.success()
    expect(places.status()).toMatchObject({ running: 0, succeeded: 1, failed: 1 })
  })

  it('checks the options as execute does', async () => {
    await expect(bulkhead({ maxConcurrent: 1 }).acquire({ signal: 'x' as never })).rejects.toThrow(/option 'signal'/)
  })
})

it('a failure of a permit whose caller has left is ignored, as that of a function is', async () => {
  const gate = recordingGate()
  const caller = new AbortController()
  const permit = await gate.policy.acquire({ signal: caller.signal })
  caller.abort('left')
  permit.failure(new Error('aborted'))
  expect(gate.log).toEqual(['ignored', 'left'])
})

it('only gates can be acquired, and the types say so', () => {
  const gate: Gate = { kind: 'gate', admit: () => 'in', settle: (_permit, ok, value, call) => void verdictOf(ok, value, call) }
  expectTypeOf(policy({ name: 'gate', parts: gate })).toExtend<Acquirable>()
  expectTypeOf(bulkhead({ maxConcurrent: 1 })).toExtend<Acquirable>()
  expectTypeOf(policy({ name: 'gates', parts: [gate, gate] })).not.toExtend<Acquirable>()
  expectTypeOf(
    policy({ name: 'flow', parts: { kind: 'flow', start: (next, call, out) => next.start(call, out) } }),
  ).not.toExtend<Acquirable>()
  expect('tryAcquire' in policy({ name: 'gates', parts: [gate, gate] })).toBe(false)
})
