import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import {
  bulkhead,
  childCall,
  circuitBreaker,
  fallback,
  isHoldfastError,
  pipeline,
  policy,
  refusal,
  retry,
  timeout,
  type Bulkhead,
  type Call,
  type CircuitBreaker,
  type Flow,
  type Gate,
} from 'holdfast'
import { fakeClock, type FakeClock } from 'holdfast/testing'

const down = (): never => {
  throw Object.assign(new Error('down'), { code: 'ECONNREFUSED' })
}
const forever = (): Promise<never> => new Promise(() => {})

/** Work that ends when the test says so. */
function manualWork(): {
  run: () => Promise<unknown>
  end: (value?: unknown) => void
  fail: (error: unknown) => void
  started: () => number
} {
  const ends: { resolve: (value: unknown) => void; reject: (error: unknown) => void }[] = []
  return {
    run: () => new Promise((resolve, reject) => ends.push({ resolve, reject })),
    end: (value) => ends.shift()?.resolve(value),
    fail: (error) => ends.shift()?.reject(error),
    started: () => ends.length,
  }
}

describe('P1: what a breaker counts', () => {
  const attempts = { maxAttempts: 3, initialDelay: 0 }

  it('retry outside: three failed attempts are three failures', async () => {
    const clock = fakeClock()
    const breaker = circuitBreaker({ clock })
    await pipeline(retry({ ...attempts, clock }), breaker).tryExecute(down)
    expect(breaker.status().failureTotal).toBe(3)
  })

  it('retry inside: three failed attempts are one', async () => {
    const clock = fakeClock()
    const breaker = circuitBreaker({ clock })
    await pipeline(breaker, retry({ ...attempts, clock })).tryExecute(down)
    expect(breaker.status().failureTotal).toBe(1)
  })
})

describe('P2: a timeout and a place', () => {
  const newPlaces = (clock: FakeClock): Bulkhead => bulkhead({ maxConcurrent: 1, clock })
  const orders = {
    outside: (clock: FakeClock, places: Bulkhead) => pipeline(timeout({ after: '1s', clock }), places),
    inside: (clock: FakeClock, places: Bulkhead) => pipeline(places, timeout({ after: '1s', clock })),
  }
  for (const [where, order] of Object.entries(orders)) {
    it(`timeout ${where}: the caller is told at the deadline, the place stays taken until the work really ends`, async () => {
      const clock = fakeClock()
      const places = newPlaces(clock)
      const work = manualWork()
      const outcome = order(clock, places).tryExecute(work.run)
      await clock.advance('1s')
      expect(isHoldfastError((await outcome).error, 'ERR_TIMEOUT')).toBe(true)
      expect(places.status().running).toBe(1)
      expect(places.tryAcquire()).toMatchObject({ code: 'ERR_BULKHEAD_FULL' })
      work.end()
      await clock.settle()
      expect(places.status().running).toBe(0)
    })
  }
})

it('P3: a total timeout leaves the queue of a bulkhead; nothing is granted to it later', async () => {
  const clock = fakeClock()
  const places = bulkhead({ maxConcurrent: 1, maxQueued: 1, clock })
  const holder = await places.acquire()
  let ran = false
  const outcome = pipeline(timeout({ after: '1s', clock }), places).tryExecute(() => {
    ran = true
  })
  await clock.advance('1s')
  expect(isHoldfastError((await outcome).error, 'ERR_TIMEOUT')).toBe(true)
  expect(places.status()).toMatchObject({ queued: 0, running: 1 })
  holder.success()
  await clock.settle()
  expect([ran, places.status().running]).toEqual([false, 0])
})

it('P4: the abort of a caller that races with a grant passes the place on, neither lost nor given twice', async () => {
  const clock = fakeClock()
  const places = bulkhead({ maxConcurrent: 1, maxQueued: 2, clock })
  const holder = await places.acquire()
  const controller = new AbortController()
  const ran: string[] = []
  const first = places.tryExecute(() => ran.push('first'), { signal: controller.signal })
  const second = places.tryExecute(() => ran.push('second'))
  holder.success() // grants the place to the first …
  controller.abort() // … which leaves before it is told
  expect((await first).ok).toBe(false)
  expect((await second).ok).toBe(true)
  expect([ran, places.status().running]).toEqual([['second'], 0])
})

describe('P5: a breaker that opens while a call queues further inside is heard', () => {
  const orders = {
    'in the same frame': (_clock: FakeClock, breaker: CircuitBreaker, places: Bulkhead) => pipeline(breaker, places),
    'with a timeout between them': (clock: FakeClock, breaker: CircuitBreaker, places: Bulkhead) =>
      pipeline(breaker, timeout({ after: '60s', clock }), places),
    'with a retry outside': (clock: FakeClock, breaker: CircuitBreaker, places: Bulkhead) => pipeline(retry({ clock }), breaker, places),
  }
  for (const [where, order] of Object.entries(orders)) {
    it(`${where}: the call does not run`, async () => {
      const clock = fakeClock()
      const breaker = circuitBreaker({ clock, openFor: '30s' })
      const places = bulkhead({ maxConcurrent: 1, maxQueued: 5, clock })
      const holder = await places.acquire()
      let ran = false
      const outcome = order(clock, breaker, places).tryExecute(() => {
        ran = true
      })
      await clock.settle()
      breaker.forceOpen()
      holder.success()
      expect(await outcome).toMatchObject({ ok: false, refusal: { code: 'ERR_CIRCUIT_OPEN', retryAfterMs: 30_000 } })
      expect([ran, places.status().running, breaker.status().failureTotal]).toEqual([false, 0, 0])
    })
  }
})

it('P6: hedging in a flow of one’s own: the fast second answer wins, the first is cancelled, and its gates ignore it', async () => {
  const clock = fakeClock()
  const breaker = circuitBreaker({ clock })
  const hedge: Flow = {
    kind: 'flow',
    start(next, call, out) {
      let settled = false
      const calls = [childCall(call), childCall(call, { attempt: 2 })]
      for (const each of calls) {
        next.start(each, {
          settle(ok, value) {
            each.close()
            if (settled) return
            settled = true
            for (const other of calls) if (other !== each) other.cancel(new DOMException('superseded', 'AbortError'))
            out.settle(ok, value)
          },
        })
      }
    },
  }
  const signals: AbortSignal[] = []
  const guarded = pipeline(policy({ name: 'hedge', parts: hedge, clock }), breaker)
  const result = guarded.execute(({ attempt, signal }) => {
    signals.push(signal)
    return attempt === 1
      ? new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      : Promise.resolve('second')
  })
  expect(await result).toBe('second')
  await clock.settle()
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
  expect(breaker.status()).toMatchObject({ successTotal: 1, failureTotal: 0, ignoredTotal: 1 })
})

it('P7: every attempt has its own signal, and a late result of the first reaches nobody while the second runs', async () => {
  const clock = fakeClock()
  const places = bulkhead({ maxConcurrent: 5, clock })
  const guarded = pipeline(fallback('instead'), retry({ maxAttempts: 2, initialDelay: 0, clock }), places, timeout({ after: '1s', clock }))
  const signals: AbortSignal[] = []
  const work = manualWork()
  const outcome = guarded.execute((call) => {
    signals.push(call.signal)
    return work.run() as Promise<string>
  })
  await clock.advance('1s')
  await clock.advance(0)
  expect(signals).toHaveLength(2)
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
  work.end('late result of the first')
  await clock.settle()
  expect(places.status().running).toBe(1)
  work.end('result of the second')
  expect(await outcome).toBe('result of the second')
  expect(places.status()).toMatchObject({ running: 0, queued: 0 })
})

it('P8: a half-open probe that hangs: its lease runs out, the circuit reopens, is probed again and closes', async () => {
  const clock = fakeClock()
  const breaker = circuitBreaker({ failureThreshold: 1, openFor: '10s', successThreshold: 1, probeTimeout: '5s', clock })
  await breaker.tryExecute(down)
  await clock.advance('10s')
  void breaker.tryExecute(forever)
  await clock.advance('4s')
  expect(await breaker.tryExecute(() => 1)).toMatchObject({ refusal: { code: 'ERR_CIRCUIT_OPEN' } })
  await clock.advance('1s')
  expect(breaker.state).toBe('open')
  await clock.advance('10s')
  expect(await breaker.tryExecute(() => 1)).toMatchObject({ ok: true })
  expect(breaker.state).toBe('closed')
})

it('P9: 20,000 waiters on one place with functions that return at once: in order, without recursion', async () => {
  const places = bulkhead({ maxConcurrent: 1, maxQueued: 20_000 })
  const holder = await places.acquire()
  const order: number[] = []
  const all = Array.from({ length: 20_000 }, (_, index) => places.execute(() => void order.push(index)))
  holder.success()
  await Promise.all(all)
  expect(order).toEqual(Array.from({ length: 20_000 }, (_, index) => index))
})

it('P10: tryExecute on a refusal answers with plain data and makes no error', async () => {
  const breaker = circuitBreaker({ name: 'payments' })
  breaker.isolate()
  const original = Error.captureStackTrace
  const outcome = await pipeline(fallbackNever(), breaker).tryExecute(() => 1)
  expect(outcome).toEqual({ ok: false, refusal: refusal('ERR_CIRCUIT_ISOLATED', 'payments') })
  expect(outcome.refusal instanceof Error).toBe(false)
  expect(JSON.parse(JSON.stringify(outcome.refusal))).toEqual({ refused: true, code: 'ERR_CIRCUIT_ISOLATED', policy: 'payments' })
  expect(Error.captureStackTrace).toBe(original)
})

/** A flow that does nothing, so that the refusal has to pass one. */
function fallbackNever(): ReturnType<typeof policy> {
  return policy({ name: 'plain', parts: { kind: 'flow', start: (next, call, out) => next.start(call, out) } })
}

describe('P11: a stream that is answered at its head', () => {
  it('is with the caller at once; the place and the verdict wait for the end of the body', async () => {
    const clock = fakeClock()
    const breaker = circuitBreaker({ clock })
    const places = bulkhead({ maxConcurrent: 1, clock })
    const body = manualWork()
    const guarded = pipeline(retry({ clock }), breaker, places, timeout({ after: '1s', clock }))
    expect(await guarded.execute((call) => (call.until(body.run()), 'head'))).toBe('head')
    expect([places.status().running, breaker.status().successTotal]).toEqual([1, 0])
    await clock.advance('1m') // the timeout was for the answer
    body.end()
    await clock.settle()
    expect([places.status().running, breaker.status().successTotal, breaker.status().failureTotal]).toEqual([0, 1, 0])
  })

  it('a body that dies is a failure', async () => {
    const breaker = circuitBreaker({ failureThreshold: 1 })
    const body = manualWork()
    await breaker.execute((call) => (call.until(body.run()), 'head'))
    body.fail(new Error('cut'))
    await fakeClock().settle()
    expect(breaker.state).toBe('open')
  })
})

it('P12: a timeout over a hung call keeps an otherwise idle process alive until it has fired', async () => {
  const script = `
    import { timeout } from 'holdfast'
    timeout(300).execute(() => new Promise(() => {})).catch((error) => console.log(error.code))
  `
  const directory = fileURLToPath(new URL('../..', import.meta.url))
  const output = await new Promise<string>((resolve, reject) => {
    execFile(
      process.execPath,
      ['--conditions=@holdfast/source', '--import', 'tsx', '--input-type=module', '--eval', script],
      { cwd: `${directory}/bench`, timeout: 25_000 },
      (error, stdout) => (error === null ? resolve(stdout) : reject(error)),
    )
  })
  expect(output.trim()).toBe('ERR_TIMEOUT')
})

describe('P13: the abort of the caller', () => {
  const reason = new Error('the caller left')

  async function leaves(start: (signal: AbortSignal, clock: FakeClock) => { outcome: Promise<unknown>; idle: () => void }): Promise<void> {
    const clock = fakeClock()
    const controller = new AbortController()
    let listeners = 0
    const { signal } = controller
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++
      add(...args)
    }
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--
      remove(...args)
    }
    const { outcome, idle } = start(signal, clock)
    await clock.settle()
    controller.abort(reason)
    await expect(outcome).rejects.toBe(reason)
    expect(listeners).toBe(0)
    expect(clock.timers.filter(({ ref }) => ref)).toEqual([])
    idle()
  }

  it('during back-off rejects at once with its own reason, and leaves nothing behind', () =>
    leaves((signal, clock) => {
      const breaker = circuitBreaker({ clock })
      const outcome = pipeline(retry({ initialDelay: '10s', jitter: 'none', clock }), breaker).execute(down, { signal })
      return { outcome, idle: () => expect(breaker.status()).toMatchObject({ failureTotal: 1, ignoredTotal: 0 }) }
    }))

  it('while queueing, too', () =>
    leaves((signal, clock) => {
      const breaker = circuitBreaker({ clock })
      const places = bulkhead({ maxConcurrent: 1, maxQueued: 1, clock })
      const holder = places.tryAcquire()
      const outcome = pipeline(breaker, places).execute(() => 1, { signal })
      return {
        outcome,
        idle: () => {
          if (!holder.refused) holder.success()
          expect(breaker.status()).toMatchObject({ failureTotal: 0, ignoredTotal: 1 })
          expect(places.status()).toMatchObject({ running: 0, queued: 0 })
        },
      }
    }))

  it('while probing, too: the probe neither closes nor reopens, and its slot comes back', () =>
    leaves((signal, clock) => {
      const breaker = circuitBreaker({ failureThreshold: 1, openFor: 1, successThreshold: 1, clock })
      const outcome = (async () => {
        await breaker.tryExecute(down)
        clock.tick(1)
        return await breaker.execute(forever, { signal })
      })()
      return {
        outcome,
        idle: () => {
          expect(breaker.status()).toMatchObject({ state: 'half-open', probes: { running: 0, successes: 0, failures: 0 } })
        },
      }
    }))
})

describe('gates and flows of one’s own', () => {
  it('a gate whose permit became stale refuses, also when it only says false', async () => {
    const clock = fakeClock()
    let valid = true
    const gate: Gate<string> = { kind: 'gate', admit: () => 'permit', settle() {}, stillValid: () => valid }
    const places = bulkhead({ maxConcurrent: 1, maxQueued: 1, clock })
    const holder = await places.acquire()
    const outcome = pipeline(policy({ name: 'own', parts: gate }), places).tryExecute(() => 1)
    valid = false
    holder.success()
    expect(await outcome).toMatchObject({ refusal: { code: 'ERR_PERMIT_STALE' } })
  })

  it('a flow that does not listen to cancellation is left by a timeout all the same', async () => {
    const clock = fakeClock()
    const deaf: Flow = { kind: 'flow', start() {} }
    const outcome = pipeline(timeout({ after: '1s', clock }), policy({ name: 'deaf', parts: deaf })).tryExecute(() => 1)
    await clock.advance('1s')
    expect(isHoldfastError((await outcome).error, 'ERR_TIMEOUT')).toBe(true)
  })

  it('sees the call as its function does', async () => {
    const seen: Call[] = []
    const watch: Flow = {
      kind: 'flow',
      start(next, call, out) {
        seen.push(call)
        next.start(call, out)
      },
    }
    await policy({ name: 'watch', parts: watch }).execute((call) => void seen.push(call), { key: 'k' })
    expect(seen[0]).toBe(seen[1])
    expect(seen[0]?.key).toBe('k')
  })
})
