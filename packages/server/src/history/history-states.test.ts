import type { CircuitBreaker, RateLimiter } from 'holdfast'
import { describe, expect, it } from 'vitest'
import { historyScene, startOfHour } from './history.fixture.ts'

const breaker = (scene: ReturnType<typeof historyScene>): CircuitBreaker =>
  scene.system.get('circuit-breaker/llm') as unknown as CircuitBreaker
const quota = (scene: ReturnType<typeof historyScene>): RateLimiter => scene.system.get('rate-limiter/llm-quota') as unknown as RateLimiter
const segments = (scene: ReturnType<typeof historyScene>): unknown =>
  scene.history
    .wall('15m')
    .rows['llm']?.segments.map(({ from, to, state }) => [state, from - startOfHour, to === null ? null : to - startOfHour])

describe('states', () => {
  it('S41: a breaker without traffic is half-open on schedule: segment and state say when, to the millisecond', async () => {
    const scene = historyScene()
    scene.add('llm')
    await scene.clock.advance('10s')
    await breaker(scene).tryExecute(() => Promise.reject(new Error('down')))
    await scene.clock.advance('59s')
    expect(scene.history.state('llm')).toMatchObject({ state: 'open', since: startOfHour + 10_000, nextAttemptAt: startOfHour + 70_000 })
    await scene.clock.advance('2500ms')
    expect(scene.history.state('llm')).toMatchObject({ state: 'half-open', since: startOfHour + 70_000, nextAttemptAt: null })
    expect(segments(scene)).toEqual([
      ['closed', 0, 10_000],
      ['open', 10_000, 70_000],
      ['half-open', 70_000, null],
    ])
  })

  it('changes between two ticks are all there, from the events', async () => {
    const scene = historyScene()
    scene.add('llm')
    await scene.clock.advance('10100ms')
    for (let change = 0; change < 3; change++) {
      breaker(scene).isolate()
      await scene.clock.advance('100ms')
      breaker(scene).close()
      await scene.clock.advance('100ms')
    }
    expect((segments(scene) as unknown[]).length).toBe(7)
  })

  it('a pause is shown while nothing worse is, and ends at its own time', async () => {
    const scene = historyScene()
    scene.add('llm')
    await scene.clock.advance('10s')
    quota(scene).pause('12400ms')
    await scene.clock.advance('5s')
    expect(scene.history.state('llm')).toMatchObject({ state: 'paused', pausedUntil: startOfHour + 22_400 })
    breaker(scene).isolate()
    await scene.clock.advance('1s')
    breaker(scene).close()
    await scene.clock.advance('30s')
    expect(segments(scene)).toEqual([
      ['closed', 0, 10_000],
      ['paused', 10_000, 15_000],
      ['isolated', 15_000, 16_000],
      ['paused', 16_000, 22_400],
      ['closed', 22_400, null],
    ])
  })

  it('the worst of several breakers counts; without any the dependency is passing', async () => {
    const scene = historyScene()
    const [first, second] = ['a', 'b'].map((name) => scene.system.createCircuitBreaker(name)) as [CircuitBreaker, CircuitBreaker]
    scene.history.add({ name: 'bare', policies: [], isFailure: () => false })
    scene.history.add({ name: 'llm', policies: ['circuit-breaker/a', 'circuit-breaker/b'], isFailure: () => false })
    expect(scene.history.state('bare')?.state).toBe('passing')
    second.disable()
    expect(scene.history.state('llm')?.state).toBe('disabled')
    first.forceOpen()
    expect(scene.history.state('llm')?.state).toBe('open')
    second.isolate()
    expect(scene.history.state('llm')?.state).toBe('isolated')
  })

  it('a state that somebody set is marked forced, also when only that changes', async () => {
    const forced = new Set<string>()
    const scene = historyScene({ isForced: (policy) => forced.has(policy) })
    scene.add('llm')
    await scene.clock.advance('10s')
    forced.add('circuit-breaker/llm')
    breaker(scene).isolate()
    await scene.clock.advance('10s')
    forced.clear()
    await scene.clock.advance('10s')
    expect(scene.history.wall('15m').rows['llm']?.segments.map((segment) => [segment.state, segment.forced])).toEqual([
      ['closed', false],
      ['isolated', true],
      ['isolated', false],
    ])
  })

  it('a dependency that keeps its name through a reload keeps its counters and states; one that leaves ends as unknown', async () => {
    const scene = historyScene()
    scene.add('llm')
    scene.requests('llm', 5)
    await scene.clock.advance('10s')
    scene.history.add({ name: 'llm', policies: [], isFailure: () => false })
    expect(scene.history.recorder('llm')?.totals.requests).toBe(5)
    expect(scene.history.wall('15m').rows['llm']?.segments.map(({ state }) => state)).toEqual(['closed', 'passing'])
    scene.history.remove('llm')
    expect(scene.history.wall('15m').rows).toEqual({})
    expect(scene.history.dependency('llm', '15m')).toBeUndefined()
  })
})

describe('markers', () => {
  it('stand on every range that reaches back to them, and are bounded', async () => {
    const scene = historyScene()
    scene.history.addMarker('note', 'deploy 7')
    await scene.clock.advance('20m')
    expect(scene.history.wall('15m').markers).toEqual([])
    expect(scene.history.wall('1h').markers.map(({ kind, text }) => [kind, text])).toEqual([
      ['start', 'Holdfast 1.0.0 started'],
      ['note', 'deploy 7'],
    ])
    for (let count = 0; count < 1_000; count++) scene.history.addMarker('fault', `fault ${count}`)
    expect(scene.history.wall('1h').markers).toHaveLength(500)
  })
})
