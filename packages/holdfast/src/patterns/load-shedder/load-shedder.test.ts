import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isHoldfastError, loadShedder, seededRandom, type LoadShedderEvent } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { shedProbability } from './shed-rule.ts'

const rules = { shedFrom: 0.6, maxLoad: 0.8, hardLimit: 1, hysteresis: 0.05, priorityLevels: 3 }

/** A shedder whose load the test sets. */
function loaded(options: Parameters<typeof loadShedder>[0] = {}): {
  shedder: ReturnType<typeof loadShedder>
  set: (load: number) => void
  clock: ReturnType<typeof fakeClock>
} {
  const clock = fakeClock()
  let load = 0
  const shedder = loadShedder({ sources: { given: () => load }, sampleEvery: 0, clock, random: seededRandom(1), ...options } as never)
  return { shedder, set: (value) => (load = value), clock }
}

describe('what is shed', () => {
  it('never sheds the more important call rather than the less important one, at any load', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1.5, noNaN: true }), (load) => {
        const [low, normal, high, critical] = (['low', 'normal', 'high', 'critical'] as const).map((one) =>
          shedProbability(rules, one, load),
        )
        expect(low! >= normal! && normal! >= high! && high! >= critical!).toBe(true)
        const levels = [1, 2, 3].map((level) => shedProbability(rules, level, load))
        expect(levels[0]! >= levels[1]! && levels[1]! >= levels[2]!).toBe(true)
      }),
    )
  })

  it.each([
    ['low', 0.59, 0],
    ['low', 0.63, 0.5],
    ['low', 0.67, 1],
    ['normal', 0.66, 0],
    ['high', 0.73, 0],
    ['high', 0.8, 1],
    ['critical', 0.99, 0],
    ['critical', 1, 1],
    [1, 0.67, 1],
    [3, 0.73, 0],
    [3, 0.8, 1],
  ] as const)('sheds %s at a load of %s with probability %s', (priority, load, probability) => {
    expect(shedProbability(rules, priority, load)).toBeCloseTo(probability, 1)
  })

  it('decides for the numbers of the specification without running anything', () => {
    const { shedder, set } = loaded({ maxLoad: 0.8, priorityLevels: 3 })
    set(0.68)
    expect([1, 3].map((level) => shedder.shouldShed(level))).toEqual([true, false])
    expect(shedder.status()).toMatchObject({ admitted: 0, shed: 0, shedding: true, load: 0.68 })
    expect(() => shedder.shouldShed(4)).toThrow("option 'priority' must be a whole number from 1 to 3")
  })

  it('needs no load given: it looks at the event loop', () => {
    expect(loadShedder({ maxLoad: 0.8, priorityLevels: 3 }).status().sources).toHaveProperty('eventLoop')
  })

  it('says that it sheds until load has really fallen, and tells both', async () => {
    const { shedder, set, clock } = loaded({ maxLoad: 0.8, shedFrom: 0.6 })
    const events: LoadShedderEvent[] = []
    shedder.on((event) => events.push(event))
    set(0.7)
    await expect(shedder.execute(() => 1, { priority: 'low' })).rejects.toSatisfy((error) => isHoldfastError(error, 'ERR_LOAD_SHED'))
    expect(shedder.health().status).toBe('warn')
    clock.tick(500)
    set(0.56)
    shedder.shouldShed('low')
    expect(shedder.status().shedding).toBe(true)
    set(0.54)
    shedder.shouldShed('low')
    expect(shedder.status().shedding).toBe(false)
    expect(shedder.health().status).toBe('pass')
    await clock.settle()
    expect(events).toMatchObject([
      { type: 'load.shedding-started', load: 0.7 },
      { type: 'load.shed', priority: 'low', calls: 1 },
      { type: 'load.shedding-ended', forMs: 500, shed: 1 },
    ])
  })

  it('begins gently: where shedding begins, next to nobody is shed', () => {
    const { shedder, set } = loaded({ maxLoad: 0.8, shedFrom: 0.6 })
    set(0.605)
    const shed = Array.from({ length: 1_000 }, () => shedder.shouldShed('low')).filter(Boolean).length
    expect(shed).toBeGreaterThan(0)
    expect(shed).toBeLessThan(150)
  })

  it('tells refused callers different times to come back', () => {
    const { shedder, set } = loaded({ retryAfter: '2s' })
    set(2)
    const hints = Array.from({ length: 50 }, () => {
      const refused = shedder.tryAcquire()
      return refused.refused ? (refused.retryAfterMs ?? 0) : 0
    })
    expect(Math.min(...hints)).toBeGreaterThanOrEqual(1_000)
    expect(Math.max(...hints)).toBeLessThanOrEqual(3_000)
    expect(new Set(hints).size).toBeGreaterThan(20)
  })

  it('tells shed calls at most once a second, with their number', async () => {
    const { shedder, set, clock } = loaded()
    const events: LoadShedderEvent[] = []
    shedder.on((event) => events.push(event))
    set(2)
    for (let index = 0; index < 10; index++) shedder.tryAcquire()
    clock.tick(1_000)
    shedder.tryAcquire()
    await clock.settle()
    expect(events.filter(({ type }) => type === 'load.shed')).toMatchObject([{ calls: 1 }, { calls: 10 }])
  })

  it('in dark mode lets everybody in and counts whom it would have shed', async () => {
    const { shedder, set } = loaded({ dark: true })
    set(2)
    expect(await shedder.execute(() => 'served', { priority: 'low' })).toBe('served')
    expect(shedder.status()).toMatchObject({ admitted: 1, shed: 1, shedByPriority: { low: 1 }, dark: true })
  })

  it('a source that throws or answers nonsense sheds nobody, and is told', async () => {
    const events: LoadShedderEvent[] = []
    const shedder = loadShedder({ sources: { broken: () => JSON.parse('{'), nan: () => Number.NaN }, sampleEvery: 0 })
    shedder.on((event) => events.push(event))
    expect(await shedder.execute(() => 1)).toBe(1)
    expect(events).toMatchObject([{ type: 'load.callback-failed', callback: 'sources.broken' }])
  })

  it('asks its sources at most as often as told, and has no timer', async () => {
    const clock = fakeClock()
    let asked = 0
    const counted = (): number => {
      asked++
      return 0
    }
    const shedder = loadShedder({ sources: { counted }, sampleEvery: '100ms', clock })
    for (let index = 0; index < 50; index++) shedder.shouldShed('low')
    expect(asked).toBe(1)
    clock.tick(100)
    shedder.shouldShed('low')
    expect(asked).toBe(2)
    expect(clock.timers).toEqual([])
  })

  it('89: a partition borrows spare capacity, and has its guaranteed share at once while load is shed', () => {
    const shedder = loadShedder({ capacity: 10, maxLoad: 1, hardLimit: 3, partitions: { live: 0.8, batch: 0.2 }, random: seededRandom(1) })
    let batch = 0
    for (let index = 0; index < 20; index++) if (!shedder.tryAcquire({ key: 'batch' }).refused) batch++
    expect(batch).toBeGreaterThan(6)
    expect(batch).toBeLessThan(12)
    for (let index = 0; index < 8; index++) expect(shedder.tryAcquire({ key: 'live' }).refused).toBe(false)
    expect(shedder.tryAcquire({ key: 'live' }).refused).toBe(true)
  })

  it('checks its options before anything changes', () => {
    const { shedder } = loaded({ maxLoad: 0.8 })
    expect(() => shedder.reconfigure({ sources: {}, maxLoad: 0.5 })).toThrow("option 'sources' must be at least one function")
    expect(() => shedder.reconfigure({ mode: 'client-throttle' })).toThrow("option 'mode' must be 'load'")
    expect(() => loadShedder({ sources: { a: () => 0 }, shedFrom: 0.9, maxLoad: 0.8 })).toThrow(
      "option 'shedFrom' must be a number from 0 to 0.8",
    )
    expect(shedder.describe()).toMatchObject({ mode: 'load', maxLoad: 0.8, sources: ['given'] })
  })
})
