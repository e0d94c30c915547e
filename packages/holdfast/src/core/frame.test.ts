import {
  bulkhead,
  childCall,
  circuitBreaker,
  pipeline,
  policy,
  rateLimiter,
  refusal,
  retry,
  timeout,
  type Call,
  type Gate,
  type Seat,
} from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it, vi } from 'vitest'
import { recordingGate } from './recording-gate.fixture.ts'

function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

/** A gate that makes every call wait until it is told. */
class Door implements Gate<string> {
  readonly kind = 'gate' as const
  readonly seats: Seat<string>[] = []
  readonly log: string[] = []
  valid: boolean | undefined = undefined
  cancelled = 0
  admit(_call: Call, seat: Seat<string> | undefined): { waiting: true; cancel(): void } {
    if (seat !== undefined) this.seats.push(seat)
    return { waiting: true, cancel: () => void this.cancelled++ }
  }
  settle(permit: string, ok: boolean): void {
    this.log.push(`settle ${permit} ${ok}`)
  }
  leave(permit: string): void {
    this.log.push(`leave ${permit}`)
  }
  stillValid(): boolean {
    return this.valid ?? true
  }
}

/** Lets everything in; `stillValid` answers as told. */
function doubtful(): Gate & { valid: boolean } {
  return {
    kind: 'gate',
    valid: true,
    admit: () => 'in',
    settle: () => undefined,
    stillValid() {
      return this.valid
    },
  }
}

describe('gates next to each other', () => {
  it('are asked from the outside in, and told from the inside out', async () => {
    const log: string[] = []
    const gate = (name: string): Gate => ({
      kind: 'gate',
      admit: () => log.push(`admit ${name}`),
      settle: () => void log.push(`settle ${name}`),
      leave: () => void log.push(`leave ${name}`),
    })
    await policy({ name: 'three', parts: [gate('a'), gate('b'), gate('c')] }).execute(() => log.push('run'))
    expect(log).toEqual(['admit a', 'admit b', 'admit c', 'run', 'settle c', 'settle b', 'settle a', 'leave c', 'leave b', 'leave a'])
  })

  it('get their permits back, ignored, when one further in refuses', async () => {
    const gate = recordingGate()
    const full = bulkhead({ maxConcurrent: 1 })
    const held = full.tryAcquire()
    const run = vi.fn()
    expect(await pipeline(gate.policy, full).tryExecute(run)).toMatchObject({ ok: false, refusal: { code: 'ERR_BULKHEAD_FULL' } })
    expect(gate.log).toEqual(['ignored', 'left'])
    expect(run).not.toHaveBeenCalled()
    expect(held.refused).toBe(false)
  })

  it('get each their own permit', async () => {
    const seen: unknown[] = []
    const gate = (permit: unknown): Gate => ({
      kind: 'gate',
      admit: () => permit,
      settle: (held) => void seen.push(held),
      leave: (held) => void seen.push(held),
    })
    await policy({ name: 'three', parts: [gate(undefined), gate(0), gate({ third: true })] }).execute(() => undefined)
    expect(seen).toEqual([{ third: true }, 0, undefined, { third: true }, 0, undefined])
  })
})

describe('a gate that makes the call wait', () => {
  it('lets it in later, in a microtask of its own', async () => {
    const door = new Door()
    const run = vi.fn(() => 'value')
    const outcome = policy({ name: 'door', parts: door }).execute(run)
    door.seats[0]?.grant('permit')
    expect(run).not.toHaveBeenCalled()
    expect(await outcome).toBe('value')
    expect(door.log).toEqual(['settle permit true', 'leave permit'])
  })

  it('may answer its seat before admit returns', async () => {
    const door = new Door()
    const admit = door.admit.bind(door)
    door.admit = (call, seat) => {
      seat?.grant('early')
      return admit(call, seat)
    }
    expect(await policy({ name: 'door', parts: door }).execute(() => 'value')).toBe('value')
    expect(await policy({ name: 'door', parts: door }).execute(() => 'value', { signal: new AbortController().signal })).toBe('value')
    expect(door.log).toEqual(['settle early true', 'leave early', 'settle early true', 'leave early'])
  })

  it('may refuse later; gates outside ignore the call', async () => {
    const door = new Door()
    const gate = recordingGate()
    const outcome = pipeline(gate.policy, policy({ name: 'door', parts: door })).tryExecute(() => 'value')
    door.seats[0]?.refuse(refusal('ERR_DISPOSED', 'door'))
    expect(await outcome).toEqual({ ok: false, refusal: refusal('ERR_DISPOSED', 'door') })
    expect(door.log).toEqual([])
    expect(gate.log).toEqual(['ignored', 'left'])
  })

  it('is told to forget a caller who leaves; one who leaves between grant and run gives the permit back', async () => {
    const door = new Door()
    const gate = recordingGate()
    const run = vi.fn()
    const guarded = pipeline(gate.policy, policy({ name: 'door', parts: door }))
    const [early, late] = [new AbortController(), new AbortController()]
    const outcomes = [early, late].map(({ signal }) => guarded.tryExecute(run, { signal }))
    early.abort('early')
    expect(door.cancelled).toBe(1)
    door.seats[1]?.grant('permit')
    late.abort('late')
    expect(await Promise.all(outcomes)).toEqual([
      { ok: false, error: 'early' },
      { ok: false, error: 'late' },
    ])
    expect(door.cancelled).toBe(1)
    expect(door.log).toEqual(['settle permit false', 'leave permit'])
    expect(gate.log).toEqual(['ignored', 'left', 'ignored', 'left'])
    expect(run).not.toHaveBeenCalled()
  })

  it('asks the gates outside it again: one that answers a plain false ends the call with ERR_PERMIT_STALE', async () => {
    const door = new Door()
    const outer = doubtful()
    const far = doubtful()
    const run = vi.fn()
    const guarded = pipeline(
      policy({ name: 'far', parts: far }),
      timeout({ after: '1m', clock: fakeClock() }),
      policy({ name: 'outer', parts: outer }),
      retry({ clock: fakeClock() }),
      policy({ name: 'door', parts: door }),
    )
    for (const gate of [outer, far]) {
      gate.valid = false
      const outcome = guarded.tryExecute(run)
      door.seats.at(-1)?.grant('permit')
      expect(await outcome).toMatchObject({ ok: false, refusal: { code: 'ERR_PERMIT_STALE' } })
      gate.valid = true
    }
    expect(run).not.toHaveBeenCalled()
    expect(door.log).toEqual(['settle permit false', 'leave permit', 'settle permit false', 'leave permit'])
    const outcome = guarded.tryExecute(() => 'value')
    door.seats.at(-1)?.grant('permit')
    expect(await outcome).toEqual({ ok: true, value: 'value' })
  })

  it('does not ask the gates of an attempt that is over, or that runs beside', async () => {
    const door = new Door()
    const inner = doubtful()
    const asked: string[] = []
    let attempt = 0
    const gate: Gate<string> = {
      kind: 'gate',
      admit: () => `attempt ${++attempt}`,
      settle: () => undefined,
      stillValid: (permit) => {
        asked.push(permit)
        return true
      },
    }
    const twice = policy({
      name: 'twice',
      parts: { kind: 'flow', start: (next, call, out) => next.start(call, { settle: () => next.start(call, out) }) },
    })
    const guarded = pipeline(
      twice,
      policy({ name: 'inner', parts: [gate, inner] }),
      timeout({ after: '1m', clock: fakeClock() }),
      policy({ name: 'door', parts: door }),
    )
    const outcome = guarded.execute(() => 'value')
    door.seats[0]?.grant('first')
    await settle()
    door.seats[1]?.grant('second')
    expect(await outcome).toBe('value')
    expect(asked).toEqual(['attempt 1', 'attempt 2'])
  })
})

it('a flow may start the same call 100,000 times in a row: the last one does not look through the frames of all others', async () => {
  const starts = 100_000
  let runs = 0
  let asked = 0
  const poll = policy({
    name: 'poll',
    parts: {
      kind: 'flow',
      start(next, call, out) {
        const again = (): void => next.start(call, { settle: (ok, value) => (runs < starts ? again() : out.settle(ok, value)) })
        again()
      },
    },
  })
  const watched: Gate = { kind: 'gate', admit: () => 'in', settle: () => undefined, stillValid: () => ++asked > 0 }
  const waitsAtLast: Gate<string> = {
    kind: 'gate',
    admit(_call, seat) {
      if (runs < starts - 1) return 'in'
      queueMicrotask(() => seat?.grant('in'))
      return { waiting: true, cancel: () => undefined }
    },
    settle: () => undefined,
  }
  expect(await pipeline(poll, policy({ name: 'gates', parts: [watched, waitsAtLast] })).execute(async () => ++runs)).toBe(starts)
  expect(asked).toBe(1)
})

describe('a gate of the user’s that is broken', () => {
  const broken: Gate = {
    kind: 'gate',
    admit() {
      throw new TypeError('broken gate')
    },
    settle: () => undefined,
  }

  it('fails the call with what it throws, and costs the others no place', async () => {
    const places = bulkhead({ maxConcurrent: 2 })
    const gate = recordingGate()
    const guarded = pipeline(places, gate.policy, policy({ name: 'broken', parts: broken }))
    await expect(guarded.execute(() => 'value')).rejects.toThrow('broken gate')
    expect(await guarded.tryExecute(() => 'value')).toMatchObject({ ok: false, error: { message: 'broken gate' } })
    expect(gate.log).toEqual(['ignored', 'left', 'ignored', 'left'])
    expect(places.status().running).toBe(0)
  })

  it('does so after a wait as well', async () => {
    const places = bulkhead({ maxConcurrent: 1, maxQueued: 1 })
    const guarded = pipeline(places, policy({ name: 'broken', parts: broken }))
    const held = places.tryAcquire()
    const outcome = guarded.tryExecute(() => 'value')
    if (!held.refused) held.success()
    expect(await outcome).toMatchObject({ ok: false, error: { message: 'broken gate' } })
    expect(places.status().running).toBe(0)
  })
})

it('a call that is cancelled when a deaf flow starts it is not shown to the gates: what never runs decides nothing', async () => {
  const clock = fakeClock()
  const limit = rateLimiter({ limit: 1, window: '1h', clock })
  const breaker = circuitBreaker({ consecutiveFailures: 1, clock })
  const deaf = policy({
    name: 'deaf',
    parts: { kind: 'flow', start: (next, call, out) => void clock.setTimer(() => next.start(childCall(call), out), 2_000) },
    clock,
  })
  const run = vi.fn()
  const outcome = pipeline(timeout({ after: '1s', clock }), deaf, limit, breaker).tryExecute(run)
  await clock.advance('3s')
  expect(await outcome).toMatchObject({ ok: false, error: { code: 'ERR_TIMEOUT' } })
  expect(run).not.toHaveBeenCalled()
  expect(limit.usage()).toMatchObject({ requests: { used: 0 } })
  expect(breaker.state).toBe('closed')
})
