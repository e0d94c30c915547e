import { circuitBreaker, type CircuitEvent } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { begin, fail, halfOpen, newCircuit, record, succeed, typesOf } from './circuit-breaker.fixture.ts'

describe('events', () => {
  it('tell the whole story of an outage, as plain data', async () => {
    const clock = fakeClock()
    const at = clock.wallNow()
    const breaker = circuitBreaker({ name: 'payments', failureRatio: 0.5, minimumCalls: 2, openFor: '10s', successThreshold: 1, clock })
    const events = record(breaker)
    await succeed(breaker)
    await fail(breaker)
    clock.tick('10s')
    await succeed(breaker)
    const policy = 'payments'
    const story = [
      {
        type: 'circuit.opened',
        policy,
        at,
        reason: { rule: 'failure-ratio' },
        calls: 2,
        failures: 1,
        slowCalls: 0,
        openForMs: 10_000,
        nextAttemptAt: at + 10_000,
      },
      { type: 'circuit.half-opened', policy, at: at + 10_000 },
      { type: 'circuit.closed', policy, at: at + 10_000, from: 'half-open', manual: false },
    ]
    expect(events).toEqual(story)
    expect(JSON.parse(JSON.stringify(events))).toEqual(story)
  })

  it('of a circuit without ratios say that it counts no calls', async () => {
    const { breaker } = newCircuit({ failureThreshold: 2 })
    const events = record(breaker)
    await fail(breaker, 2)
    expect(events).toMatchObject([{ calls: null, failures: 2, slowCalls: null, reason: { rule: 'failure-threshold' } }])
  })

  it('18: a listener that throws or rejects fails no call and blocks no transition, and others hear all the same', async () => {
    const { clock, breaker } = newCircuit({ successThreshold: 1 })
    breaker.on(() => {
      throw new Error('listener')
    })
    breaker.on(() => Promise.reject(new Error('asynchronous listener')))
    const events = record(breaker)
    expect(await breaker.tryExecute(() => Promise.reject(new Error('down')))).toMatchObject({ ok: false, error: { message: 'down' } })
    clock.tick('10s')
    expect(await breaker.execute(() => 'up')).toBe('up')
    await clock.settle()
    expect(typesOf(events)).toEqual(['opened', 'half-opened', 'closed'])
  })

  it('18: a listener that never settles blocks nobody', async () => {
    const { breaker } = newCircuit()
    const heard: string[] = []
    breaker.on((event) => (heard.push(event.type), new Promise(() => undefined)))
    const events = record(breaker)
    await fail(breaker)
    breaker.close()
    await breaker.execute(() => 1)
    expect(typesOf(events)).toEqual(['opened', 'closed'])
    expect(heard).toEqual(['circuit.opened'])
  })

  it('19: a listener may drive the breaker it listens to', async () => {
    const { breaker } = newCircuit()
    const heard: string[] = []
    breaker.on((event) => {
      heard.push(event.type)
      if (event.type === 'circuit.opened' && heard.length < 6) {
        expect(breaker.state).toBe('open')
        breaker.reset()
        return fail(breaker)
      }
      return undefined
    })
    await fail(breaker)
    await new Promise((resolve) => setImmediate(resolve))
    expect(heard).toEqual([
      'circuit.opened',
      'circuit.closed',
      'circuit.opened',
      'circuit.closed',
      'circuit.opened',
      'circuit.closed',
      'circuit.opened',
    ])
  })

  it('19: a listener is called outside of the call that caused its event', () => {
    const { breaker } = newCircuit()
    let isInside = true
    let wasInside: boolean | undefined
    breaker.on(() => (wasInside = isInside))
    const permit = breaker.tryAcquire()
    if (!permit.refused) permit.failure(new Error('down'))
    isInside = false
    return Promise.resolve().then(() => expect(wasInside).toBe(false))
  })

  it('20: come in the order of the transitions, also to a slow listener', async () => {
    const { clock, breaker } = newCircuit({ successThreshold: 1 })
    const events: CircuitEvent[] = []
    let delay = 5
    breaker.on(async (event) => {
      for (let turn = delay--; turn > 0; turn--) await Promise.resolve() // each takes less long than the one before
      events.push(event)
    })
    await fail(breaker)
    clock.tick('10s')
    await succeed(breaker)
    breaker.isolate()
    breaker.close()
    await clock.settle()
    expect(typesOf(events)).toEqual(['opened', 'half-opened', 'closed', 'isolated', 'closed'])
  })

  it('12: come once per transition however many calls take part in it', async () => {
    const { breaker } = await halfOpen({ successThreshold: 5 })
    const events = record(breaker)
    const probes = Array.from({ length: 5 }, () => begin(breaker))
    await Promise.all(probes.map((probe) => probe.fail()))
    expect(typesOf(events)).toEqual(['half-opened', 'opened'])
  })

  it('end when the listener is taken off, and cost nothing while nobody listens', async () => {
    const { breaker } = newCircuit()
    const events: CircuitEvent[] = []
    const off = breaker.on((event) => events.push(event))
    off()
    off()
    await fail(breaker)
    expect(events).toEqual([])
  })
})
