import { describe, expect, it } from 'vitest'
import { isHoldfastError } from '../core/errors.ts'
import { fakeClock } from '../core/fake-clock.ts'
import { pipeline } from '../core/pipeline.ts'
import { circuitBreaker } from '../patterns/circuit-breaker/index.ts'
import { retry } from '../patterns/retry/index.ts'
import { faultScript } from './fault-script.ts'
import { recordTrace } from './record-trace.ts'
import { replay } from './replay.ts'
import { formatTrace, parseTrace, type TraceCall } from './trace.ts'

/** Ten calls per second; from 5 s to 15 s all fail, after 2 s each. */
const recorded: readonly TraceCall[] = Array.from({ length: 300 }, (_, index) => {
  const atMs = index * 100
  const ok = atMs < 5_000 || atMs >= 15_000
  return { atMs, durationMs: ok ? 30 : 2_000, ok, ...(!ok && { status: 503 }) }
})

describe('replay', () => {
  it('without a policy that changes anything answers as recorded', async () => {
    const report = await replay(recorded, ({ clock }) => circuitBreaker({ mode: 'disabled', clock }))
    expect(report.offered).toBe(300)
    expect(report.outcomes).toMatchObject({ answered: 200, failed: 100, refused: 0 })
    expect(report.latency!.p99Ms).toBeCloseTo(30, 6)
    expect(report.bins).toHaveLength(30)
    expect(report.bins[10]).toMatchObject({ offered: 10, failed: 10, inFlight: 20 })
  })

  it('shows what a breaker would have spared its callers', async () => {
    const report = await replay(recorded, ({ clock, random }) =>
      circuitBreaker({ failureThreshold: 5, failureWindow: '10s', openFor: '1s', clock, random }),
    )
    expect(report.outcomes.refused).toBeGreaterThan(60)
    expect(report.outcomes.failed).toBeLessThan(35)
    expect(report.outcomes.answered).toBeGreaterThan(170)
    expect(report.dependencies[0]!.calls).toBe(300 - report.outcomes.refused)
  })

  it('answers a further attempt as the calls of its time were answered', async () => {
    const trace = [
      { atMs: 0, durationMs: 10, ok: false, key: 'a' },
      { atMs: 300, durationMs: 10, ok: false, key: 'b' },
      { atMs: 500, durationMs: 70, ok: true, key: 'a' },
    ]
    const report = await replay(trace, ({ clock }) =>
      retry({ maxAttempts: 2, backoff: 'constant', initialDelay: '200ms', jitter: 'none', retryOn: () => true, clock }),
    )
    expect(report.outcomes).toMatchObject({ answered: 2, failed: 1 }) // 'a' is tried again at 210 ms, 'b' finds only failures
    expect(report.latency!.maxMs).toBe(280)
  })

  it('callers who wait only so long are counted as timed out', async () => {
    const report = await replay(recorded, ({ clock }) => circuitBreaker({ mode: 'disabled', clock }), { deadline: '1s' })
    expect(report.outcomes).toMatchObject({ answered: 200, timedOut: 100 })
  })

  it('116: the same trace brings the same report', async () => {
    const once = (): ReturnType<typeof replay> =>
      replay(recorded, ({ clock, random }) => pipeline(retry({ clock, random }), circuitBreaker({ openForJitter: 0.5, clock, random })), {
        seed: 9,
      })
    expect(await once()).toEqual(await once())
  })

  it('refuses a trace that makes no sense, naming the call', async () => {
    const make = ({ clock }: { clock: ReturnType<typeof fakeClock> }): ReturnType<typeof retry> => retry({ clock })
    await expect(replay([], make as never)).rejects.toThrow(/'trace' must be a list of at least one call/)
    await expect(replay([{ atMs: -1, durationMs: 1, ok: true }], make as never)).rejects.toThrow(/trace\[0\]: option 'atMs'/)
  })
})

describe('trace files', () => {
  it('are read as they were written', () => {
    const trace = [...recorded.slice(0, 3), { atMs: 400, durationMs: 1, ok: true, key: 'k', priority: 'high' as const }]
    expect(parseTrace(formatTrace(trace))).toEqual(trace)
  })

  it.each([
    ['{"atMs":0,"durationMs":1,"ok":true}\n\n{"atMs":', /line 3: /],
    ['{"atMs":0,"durationMs":1,"ok":"yes"}', /line 1: call: option 'ok' must be true or false, got "yes"/],
    ['{"at":0}', /line 1: call: there is no option 'at'/],
  ])('with an error name the line: %j', (text, message) => {
    expect(() => parseTrace(text)).toThrow(message)
  })
})

describe('recordTrace', () => {
  it('records what the dependency was asked and how it answered, each attempt by itself', async () => {
    const clock = fakeClock({ startMs: 5_000 })
    const recorder = recordTrace({ clock })
    const guarded = pipeline(retry({ maxAttempts: 2, backoff: 'constant', initialDelay: '1s', jitter: 'none', clock }), recorder.policy)
    const answer = guarded.execute(faultScript('fail 503, slow 200ms', { clock }), { key: 'tenant', priority: 'high' })
    await clock.advance('2s')
    expect(await answer).toBe(2)
    expect(recorder.calls()).toEqual([
      { atMs: 0, durationMs: 0, ok: false, status: 503, key: 'tenant', priority: 'high' },
      { atMs: 1_000, durationMs: 200, ok: true, key: 'tenant', priority: 'high' },
    ])
    recorder.clear()
    expect(recorder.calls()).toEqual([])
  })

  it('keeps no more than it was told to, the newest', async () => {
    const clock = fakeClock()
    const recorder = recordTrace({ clock, maxCalls: 10 })
    for (let call = 0; call < 35; call++) {
      await recorder.policy.execute(() => call)
      clock.tick(1)
    }
    expect(recorder.calls()).toHaveLength(10)
    expect(recorder.calls().map(({ atMs }) => atMs)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(recorder.policy.status()).toMatchObject({ recorded: 10 })
  })

  it('leaves out calls that were cancelled', async () => {
    const clock = fakeClock()
    const recorder = recordTrace({ clock })
    const outcome = recorder.policy.tryExecute(faultScript('hang', { clock }), { deadline: '1s' })
    const controller = new AbortController()
    const given = recorder.policy.tryExecute(faultScript('hang', { clock }), { signal: controller.signal })
    controller.abort(new Error('no longer needed'))
    await clock.advance('2s')
    expect((await outcome).ok).toBe(false)
    expect((await given).ok).toBe(false)
    expect(recorder.calls().every(({ ok }) => !ok)).toBe(true)
    expect(recorder.calls().length).toBeLessThanOrEqual(1)
  })
})

describe('faultScript', () => {
  it('does what it says, step by step, and succeeds afterwards', async () => {
    const clock = fakeClock()
    const run = faultScript('2 ok, fail, fail 429, slow 2s', { clock })
    const outcomes: unknown[] = []
    for (let call = 0; call < 6; call++) {
      const outcome = run().then(
        (value) => value,
        (error: { status: number }) => error.status,
      )
      await clock.advance('2s')
      outcomes.push(await outcome)
    }
    expect(outcomes).toEqual([1, 2, 500, 429, 5, 6])
    expect(run.calls).toBe(6)
    expect(clock.timers).toEqual([])
  })

  it('goes on as it ended, or from the beginning, when told to', async () => {
    const verdicts = async (afterwards: 'last' | 'repeat'): Promise<string> => {
      const run = faultScript('ok, 2 fail', { afterwards })
      const each = Array.from({ length: 7 }, () =>
        run().then(
          () => '+',
          () => '-',
        ),
      )
      return (await Promise.all(each)).join('')
    }
    expect(await verdicts('last')).toBe('+------')
    expect(await verdicts('repeat')).toBe('+--+--+')
  })

  it('a call that hangs or is slow ends when it is cancelled, and leaves no timer', async () => {
    const clock = fakeClock()
    const breaker = circuitBreaker({ clock })
    const run = faultScript('hang, slow 1h', { clock })
    const outcomes = [breaker.tryExecute(run, { deadline: '1s' }), breaker.tryExecute(run, { deadline: '1s' })]
    await clock.advance('1s')
    for (const outcome of await Promise.all(outcomes)) expect(outcome.ok).toBe(false)
    await clock.advance('10s')
    expect(clock.timers.filter(({ ref }) => ref)).toEqual([])
  })

  it.each(['3 okay', '', 'ok,', 'slow', 'slow fast', 'hang 2s', '0 ok', 'fail 2000'])('names a step it cannot read: %j', (script) => {
    let error: unknown
    try {
      faultScript(script)
    } catch (caught) {
      error = caught
    }
    expect(isHoldfastError(error, 'ERR_INVALID_ARGUMENT')).toBe(true)
    expect((error as Error).message).toContain(`cannot read the step`)
  })
})
