import { bulkhead, childCall, circuitBreaker, fallback, pipeline, policy, retry, timeout, type Call, type PolicyLike } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { recordingGate } from './recording-gate.fixture.ts'

/** A body that goes on after the answer, until it is ended by hand. */
class Body {
  readonly ended: Promise<void>
  end = (): void => undefined
  die = (_error: unknown): void => undefined
  constructor() {
    this.ended = new Promise((resolve, reject) => {
      this.end = resolve
      this.die = reject
    })
  }
  /** Answers with a head; this body follows. */
  readonly stream = (call: Call): string => {
    call.until(this.ended)
    return 'head'
  }
}

function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

/** Where a gate may stand: alone, outside and inside of policies that make calls of their own. */
const positions: Record<string, (gate: PolicyLike) => PolicyLike[]> = {
  alone: (gate) => [gate],
  'outside a timeout': (gate) => [gate, timeout({ after: '1h', clock: fakeClock() })],
  'inside a timeout': (gate) => [timeout({ after: '1h', clock: fakeClock() }), gate],
  'outside a retry and a timeout': (gate) => [gate, retry(), timeout({ after: '1h', clock: fakeClock() })],
  'inside a retry and a fallback': (gate) => [fallback('x'), retry(), gate],
  'outside a flow of the user’s': (gate) => [
    gate,
    policy({ name: 'pass', parts: { kind: 'flow', start: (next, call, out) => next.start(childCall(call), out) } }),
  ],
}

describe.each(Object.entries(positions))('a gate %s', (_place, around) => {
  it('is told of a streamed answer when its body has ended, although the caller has the head at once', async () => {
    const gate = recordingGate()
    const body = new Body()
    expect(await pipeline(...around(gate.policy)).execute(body.stream)).toBe('head')
    await settle()
    expect(gate.log).toEqual([])
    body.end()
    await settle()
    expect(gate.log).toEqual(['success', 'left'])
  })

  it('is told of a failure when the body dies', async () => {
    const gate = recordingGate()
    const body = new Body()
    await pipeline(...around(gate.policy)).execute(body.stream)
    body.die(new Error('connection reset'))
    await settle()
    expect(gate.log).toEqual(['failure', 'left'])
  })

  it('ignores a body that dies because the caller has left', async () => {
    const gate = recordingGate()
    const body = new Body()
    const caller = new AbortController()
    const stream = (call: Call): string => {
      call.signal.addEventListener('abort', () => body.die(call.signal.reason))
      return body.stream(call)
    }
    await pipeline(...around(gate.policy)).execute(stream, { signal: caller.signal })
    caller.abort('left')
    await settle()
    expect(gate.log).toEqual(['ignored', 'left'])
  })

  it('waits for the last of several bodies, and the first that dies decides', async () => {
    const gate = recordingGate()
    const bodies = [new Body(), new Body(), new Body()] as const
    await pipeline(...around(gate.policy)).execute((call) => {
      for (const { ended } of bodies) call.until(ended)
    })
    bodies[0].end()
    bodies[1].die(new Error('connection reset'))
    await settle()
    expect(gate.log).toEqual([])
    bodies[2].die(new Error('another'))
    await settle()
    expect(gate.log).toEqual(['failure', 'left'])
  })

  it('hears of a failed answer at once, and has its place back when the body has ended', async () => {
    const gate = recordingGate()
    const body = new Body()
    await pipeline(...around(gate.policy)).tryExecute(async (call) => {
      call.until(body.ended)
      throw new TypeError('refused by the reader')
    })
    await settle()
    expect(gate.log).toEqual(['failure'])
    body.end()
    await settle()
    expect(gate.log).toEqual(['failure', 'left'])
  })

  it('is told at once of a body that ended before the answer', async () => {
    const gate = recordingGate()
    await pipeline(...around(gate.policy)).execute(async (call) => {
      call.until(Promise.resolve())
      await settle()
    })
    expect(gate.log).toEqual(['success', 'left'])
  })

  it('counts a failure of a body that died before the answer', async () => {
    const gate = recordingGate()
    await pipeline(...around(gate.policy)).execute(async (call) => {
      call.until(Promise.reject(new Error('connection reset')))
      await settle()
    })
    expect(gate.log).toEqual(['failure', 'left'])
  })

  it('survives a hostile thenable for a body', async () => {
    const gate = recordingGate()
    const hostile = {
      // oxlint-disable-next-line unicorn/no-thenable
      then(resolve: () => void) {
        resolve()
        resolve()
        throw new Error('after all')
      },
    }
    await pipeline(...around(gate.policy)).execute((call) => call.until(hostile as never))
    await settle()
    expect(gate.log).toEqual(['success', 'left'])
    expect(gate.held).toBe(0)
  })
})

describe('a body of an attempt that was given up', () => {
  it('by its timeout keeps the place, and decides nothing when it dies', async () => {
    const clock = fakeClock()
    const gate = recordingGate()
    const body = new Body()
    const outcome = pipeline(gate.policy, timeout({ after: '1s', clock })).tryExecute((call) => {
      call.until(body.ended)
      return new Promise(() => undefined)
    })
    await clock.advance('1s')
    expect((await outcome).ok).toBe(false)
    expect(gate.log).toEqual(['failure'])
    body.die(new Error('connection reset'))
    await settle()
    expect(gate.log).toEqual(['failure']) // the function itself still hangs
  })

  it('by a retry that did not accept its result decides nothing for the call, but keeps the place of a gate outside', async () => {
    const clock = fakeClock()
    const [outside, inside] = [recordingGate(), recordingGate()]
    const bodies = [new Body(), new Body()] as const
    const again = retry({ initialDelay: 0, retryOnResult: (value) => value === 1, clock })
    const value = await pipeline(outside.policy, again, inside.policy).execute((call) => {
      call.until(bodies[call.attempt - 1]?.ended as Promise<void>)
      return call.attempt
    })
    expect(value).toBe(2)
    bodies[1].end()
    await settle()
    expect(outside.held).toBe(1)
    bodies[0].die(new Error('cancelled'))
    await settle()
    expect(outside.log).toEqual(['success', 'left'])
    expect(inside.log).toEqual(['success', 'left', 'ignored', 'left'])
  })
})

it('a flow that starts the same call again has a fresh judgement each time', async () => {
  const gate = recordingGate()
  const twice = policy({
    name: 'twice',
    parts: {
      kind: 'flow',
      start: (next, call, out) => next.start(call, { settle: () => next.start(call, out) }),
    },
  })
  const body = new Body()
  let runs = 0
  const value = await pipeline(twice, gate.policy).execute((call) => {
    if (++runs === 1) throw new Error('first')
    return body.stream(call)
  })
  expect(value).toBe('head')
  expect(gate.log).toEqual(['failure', 'left'])
  body.die(new Error('connection reset'))
  await settle()
  expect(gate.log).toEqual(['failure', 'left', 'failure', 'left'])
  expect(gate.held).toBe(0)
})

it('a flow that starts the same call again does not blame the second answer for the body of the first', async () => {
  const gate = recordingGate()
  const twice = policy({
    name: 'twice',
    parts: { kind: 'flow', start: (next, call, out) => next.start(call, { settle: () => next.start(call, out) }) },
  })
  let runs = 0
  await pipeline(twice, gate.policy).execute(async (call) => {
    if (++runs === 1) call.until(Promise.reject(new Error('connection reset')))
    await settle()
  })
  expect(gate.log).toEqual(['failure', 'left', 'success', 'left'])
})

it('doNotRetry ends the retrying of every retry around', async () => {
  let runs = 0
  const outcome = await pipeline(retry({ initialDelay: 0 }), timeout('1s'), retry({ initialDelay: 0 })).tryExecute((call) => {
    runs++
    call.doNotRetry()
    throw Object.assign(new Error('sent half of it'), { code: 'ECONNRESET' })
  })
  expect(outcome.ok).toBe(false)
  expect(runs).toBe(1)
})

it('real gates agree: a bulkhead has its place back, and a breaker its verdict, when the body has ended', async () => {
  const clock = fakeClock()
  const places = bulkhead({ maxConcurrent: 1, clock })
  const breaker = circuitBreaker({ consecutiveFailures: 1, clock })
  const body = new Body()
  await pipeline(breaker, timeout({ after: '1s', clock }), places).execute(body.stream)
  await clock.advance('1h') // the timeout is for the answer, not for its body
  expect(places.status().running).toBe(1)
  expect(breaker.state).toBe('closed')
  body.die(new Error('connection reset'))
  await settle()
  expect(places.status().running).toBe(0)
  expect(breaker.state).toBe('open')
})
