import { bulkhead, circuitBreaker, fallback, parts, pipeline, policy, retry, timeout, type PolicyEvent } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { recordingGate } from './recording-gate.fixture.ts'

const shout = (word: string) =>
  policy({
    name: word,
    parts: {
      kind: 'flow',
      start: (next, call, out) => next.start(call, { settle: (ok, value) => out.settle(ok, `${word}(${String(value)})`) }),
    },
  })

describe('composition', () => {
  it('is from the outside in', async () => {
    expect(await pipeline(shout('a'), shout('b'), shout('c')).execute(() => 'fn')).toBe('a(b(c(fn)))')
  })

  it('of nothing runs the function', async () => {
    expect(await pipeline().execute(() => 'fn')).toBe('fn')
    expect(await pipeline({ name: 'empty' }).execute(() => 'fn')).toBe('fn')
  })

  it('of pipelines is the composition of their policies, in whichever way they are put together', async () => {
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(shout) as [
      ReturnType<typeof shout>,
      ReturnType<typeof shout>,
      ReturnType<typeof shout>,
      ReturnType<typeof shout>,
    ]
    for (const nested of [
      pipeline(a, b, c, d),
      pipeline(pipeline(a, b), pipeline(c, d)),
      pipeline(a, pipeline(b, pipeline(c, pipeline(d)))),
      pipeline(pipeline(), pipeline(pipeline(a, b, c)), d),
    ]) {
      expect(await nested.execute(() => 'fn')).toBe('a(b(c(d(fn))))')
      expect(nested[parts]).toHaveLength(4)
    }
  })

  it('shares its policies: two pipelines through one gate share its places', async () => {
    const places = bulkhead({ maxConcurrent: 1 })
    const [one, other] = [pipeline(retry(), places), pipeline(places, timeout({ after: '1s', clock: fakeClock() }))]
    const running = one.execute(() => new Promise((resolve) => setImmediate(resolve)))
    expect(await other.tryExecute(() => 'fn')).toMatchObject({ ok: false, refusal: { code: 'ERR_BULKHEAD_FULL' } })
    await running
    expect(await other.execute(() => 'fn')).toBe('fn')
  })

  it('takes any object that carries parts', async () => {
    const gate = recordingGate()
    const bare = { [parts]: gate.policy[parts] }
    const guarded = pipeline(bare)
    expect(await guarded.execute(() => 'fn')).toBe('fn')
    expect(gate.log).toEqual(['success', 'left'])
    expect(guarded.describe().layers).toEqual([{ kind: 'custom', name: 'custom' }])
    expect(guarded.status().layers).toEqual([{ kind: 'custom', name: 'custom' }])
    expect(guarded.health()).toEqual({ status: 'pass' })
    expect(() => guarded.on(() => undefined)()).not.toThrow()
  })

  it('runs on the clock of its policies', async () => {
    const clock = fakeClock()
    const outcome = pipeline(retry(), timeout({ after: '1h', clock })).tryExecute(() => new Promise(() => undefined), { deadline: '1m' })
    await clock.advance('1m')
    expect(await outcome).toMatchObject({ ok: false, error: { code: 'ERR_DEADLINE_EXCEEDED' } })
  })
})

describe('wrong arguments', () => {
  it.each<[string, unknown[], RegExp]>([
    ['a function', [() => 1], /^pipeline: options must be an object, got a function$/],
    ['something that is no policy after one that is', [retry(), {}], /^pipeline: policy 2 is no policy, got an object$/],
    ['null among policies', [retry(), null], /^pipeline: policy 2 is no policy, got null$/],
    ['undefined in front, as of a condition', [undefined, retry()], /^pipeline: options must be an object, got undefined$/],
    ['undefined after options', [{ name: 'x' }, undefined], /^pipeline: policy 1 is no policy, got undefined$/],
    ['an array of policies', [[retry()]], /^pipeline: options must be an object, got an array of 1$/],
    ['a misspelt option', [{ nmae: 'x' }, retry()], /there is no option 'nmae' \(did you mean 'name'\?\)/],
    ['a wrong name', [{ name: 5 }, retry()], /option 'name' must be a text of 1 to 200 characters, got 5$/],
  ])('%s', (_what, given, message) => {
    expect(() => pipeline(...(given as never[]))).toThrow(message)
  })
})

describe('a pipeline as plain data', () => {
  const clock = fakeClock()
  const breaker = circuitBreaker({ name: 'payments', clock })
  const places = bulkhead({ name: 'places', maxConcurrent: 2, clock })
  const guarded = pipeline({ name: 'outer' }, fallback('x'), pipeline({ name: 'inner' }, breaker, places), timeout({ after: '2s', clock }))

  it('describes the tree as it was composed', () => {
    const { layers, ...own } = guarded.describe()
    expect(own).toEqual({ kind: 'pipeline', name: 'outer' })
    expect(layers).toEqual([
      expect.objectContaining({ kind: 'fallback' }),
      {
        kind: 'pipeline',
        name: 'inner',
        layers: [
          expect.objectContaining({ kind: 'circuit-breaker', name: 'payments' }),
          expect.objectContaining({ kind: 'bulkhead', name: 'places' }),
        ],
      },
      expect.objectContaining({ kind: 'timeout', afterMs: 2_000 }),
    ])
    expect(JSON.parse(JSON.stringify(guarded.describe()))).toEqual(guarded.describe())
  })

  it('has the figures of its policies as they are now', () => {
    const held = places.tryAcquire()
    const { layers } = guarded.status() as unknown as {
      layers: readonly [unknown, { layers: readonly [unknown, { running: number }] }, unknown]
    }
    expect(layers[1].layers[1]).toMatchObject({ kind: 'bulkhead', running: 1 })
    if (!held.refused) held.ignore()
  })

  it('is as healthy as its worst policy, and gives the reasons of all', () => {
    const worse = policy({ name: 'worse', parts: [], health: () => ({ status: 'fail', reason: 'broken' }) })
    const unsure = policy({ name: 'unsure', parts: [], health: () => ({ status: 'unknown' }) })
    expect(guarded.health()).toEqual({ status: 'pass' })
    expect(pipeline(guarded, unsure).health()).toEqual({ status: 'unknown' })
    breaker.isolate()
    expect(guarded.health()).toMatchObject({ status: 'warn', reason: expect.stringContaining('payments') as unknown })
    expect(pipeline(worse, guarded, unsure).health()).toEqual({ status: 'fail', reason: `broken; ${guarded.health().reason}` })
    breaker.close()
  })

  it('passes on the events of all its policies until it is told not to', async () => {
    const heard: PolicyEvent['type'][] = []
    const end = guarded.on(({ type }) => heard.push(type))
    breaker.isolate()
    await guarded.execute(() => 'fn')
    await clock.settle()
    expect(heard).toEqual(['circuit.isolated', 'fallback.used'])
    end()
    breaker.close()
    await clock.settle()
    expect(heard).toHaveLength(2)
  })
})
