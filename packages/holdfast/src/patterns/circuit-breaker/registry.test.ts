import { circuitBreakers, circuitControl, type CircuitBreakerRegistry, type CircuitBreakerRegistryOptions } from 'holdfast'
import { fakeClock, type FakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { admits, fail, permitOf, record, succeed, typesOf } from './circuit-breaker.fixture.ts'

function rig(options: CircuitBreakerRegistryOptions = {}): { readonly clock: FakeClock; readonly registry: CircuitBreakerRegistry } {
  const clock = fakeClock()
  return {
    clock,
    registry: circuitBreakers({ name: 'hosts', failureThreshold: 1, openFor: '10s', successThreshold: 1, clock, ...options }),
  }
}

describe('one breaker per key', () => {
  it('49: the same key has the same breaker, and another key is not touched by its failures', async () => {
    const { registry } = rig()
    expect(registry.get('a')).toBe(registry.get('a'))
    await fail(registry.get('a'))
    expect([registry.get('a').state, registry.get('b').state]).toEqual(['open', 'closed'])
    expect(registry.get('a').name).toBe('hosts/a')
    expect([registry.size, registry.openCount, registry.has('b'), registry.has('c')]).toEqual([2, 1, true, false])
    expect([...registry.entries()].map(([key]) => key).toSorted()).toEqual(['a', 'b'])
  })

  it('49: beyond maxKeys the closed one that was asked for longest ago is dropped', () => {
    const dropped: string[] = []
    const { registry } = rig({ maxKeys: 3, onDrop: (key, breaker) => dropped.push(`${key} ${breaker.name} ${breaker.state}`) })
    for (const key of ['a', 'b', 'c', 'a', 'd', 'e']) registry.get(key)
    expect(dropped).toEqual(['b hosts/b closed', 'c hosts/c closed'])
    expect([...registry.entries()].map(([key]) => key)).toEqual(['a', 'd', 'e'])
  })

  it('49: an open one is never dropped, however long ago it was asked for', async () => {
    const { registry } = rig({ maxKeys: 2 })
    await fail(registry.get('down'))
    for (let key = 0; key < 1_000; key++) registry.get(`key ${key}`)
    expect(registry.size).toBe(2)
    expect(registry.get('down').state).toBe('open')
  })

  it('49: when all are open a new key is refused loudly, until one of them would let a call through', async () => {
    const dropped: string[] = []
    const { registry, clock } = rig({ maxKeys: 2, onDrop: (key) => dropped.push(key) })
    await fail(registry.get('a'))
    registry.get('b').isolate()
    expect(() => registry.get('c')).toThrow(
      "hosts: all 2 circuit breakers kept are open or isolated, and none of them may be dropped; raise 'maxKeys'",
    )
    clock.tick('10s')
    const probe = permitOf(registry.get('a'))
    expect(() => registry.get('c')).toThrow("raise 'maxKeys'") // a probe decides about it right now
    probe.ignore()
    expect(registry.get('c').state).toBe('closed')
    expect(dropped).toEqual(['a'])
    expect([registry.size, registry.openCount]).toEqual([2, 1])
  })

  it('49: an onDrop that throws harms nobody', () => {
    const { registry } = rig({
      maxKeys: 1,
      onDrop: () => {
        throw new Error('onDrop')
      },
    })
    registry.get('a')
    expect(registry.get('b').state).toBe('closed')
  })

  it('49: a breaker that was dropped, but is still held, is not among the open ones', async () => {
    const { registry } = rig({ maxKeys: 1 })
    const held = registry.get('a')
    registry.get('b')
    await fail(held)
    expect([held.state, registry.openCount]).toEqual(['open', 0])
    await fail(registry.get('b'))
    held.close()
    expect(registry.openCount).toBe(1)
  })

  it('bad options are told at once, with the names the registry knows', () => {
    expect(() => rig({ maxKey: 5 } as never)).toThrow("circuitBreakers: there is no option 'maxKey' (did you mean 'maxKeys'?); allowed: ")
    expect(() => rig({ openFor: 'soon' as never })).toThrow("hosts: option 'openFor' must be a duration")
    expect(() => rig({ maxKeys: 0 })).toThrow("hosts: option 'maxKeys' must be a whole number from 1 up, got 0")
    expect(() => rig({ maxOpenRatio: 50 })).toThrow("hosts: option 'maxOpenRatio' must be a share from 0 to 1 (0.5 is 50 %), got 50")
    expect(() => rig({ onDrop: true as never })).toThrow("hosts: option 'onDrop' must be a function, got true")
    expect(() => circuitBreakers(null as never)).toThrow('circuitBreakers: options must be an object, got null')
  })

  it('a key is any text, however long; anything else is a mistake', () => {
    const { registry } = rig()
    expect(registry.get('x'.repeat(500)).name).toHaveLength(200)
    expect(registry.get('').name).toBe('hosts/')
    for (const bad of [undefined, null, 7]) expect(() => registry.get(bad as never)).toThrow(`hosts: a key must be a text, got ${bad}`)
    expect(registry.size).toBe(2)
  })

  it('hears the events of all breakers, also of those made later', async () => {
    const { registry } = rig()
    await fail(registry.get('before'))
    const events = record(registry)
    const own = record(registry.get('later'))
    await fail(registry.get('later'))
    registry.get('before').close()
    await Promise.resolve()
    expect(events.map(({ type, policy }) => [type, policy])).toEqual([
      ['circuit.opened', 'hosts/later'],
      ['circuit.closed', 'hosts/before'],
    ])
    expect(typesOf(own)).toEqual(['opened'])
  })

  it('hands its control to all, and drops isolated breakers that are closed underneath', () => {
    const control = circuitControl()
    const { registry } = rig({ control, maxKeys: 2 })
    for (const key of ['a', 'b']) registry.get(key)
    control.isolate()
    expect(registry.openCount).toBe(2)
    expect(registry.get('c').state).toBe('isolated')
    control.close()
    expect([registry.size, registry.openCount]).toEqual([2, 0])
  })

  it('can be disabled as a whole', async () => {
    const { registry } = rig({ mode: 'disabled', maxKeys: 1 })
    await fail(registry.get('a'), 5)
    expect([registry.get('a').state, registry.get('b').state, registry.openCount]).toEqual(['disabled', 'disabled', 0])
  })
})

describe('50: a cap on how many are open at once', () => {
  it('keeps the next one closed when as many as allowed are open, and says so once per crossing', async () => {
    const { registry } = rig({ maxOpenRatio: 0.5 })
    for (const key of ['a', 'b', 'c', 'd']) registry.get(key)
    const events = record(registry)
    for (const key of ['a', 'b', 'c', 'd']) await fail(registry.get(key), 3)
    expect([...registry.entries()].map(([key, { state }]) => `${key} ${state}`)).toEqual(['a open', 'b open', 'c closed', 'd closed'])
    expect(events.map(({ type, policy }) => `${type.slice(8)} ${policy}`)).toEqual([
      'opened hosts/a',
      'opened hosts/b',
      'ejection-capped hosts/c',
      'ejection-capped hosts/d',
    ])
    expect(registry.get('c').status()).toMatchObject({ openedTotal: 0, ejectionsCappedTotal: 1, wouldHaveOpenedTotal: 0, failureTotal: 3 })
    expect(admits(registry.get('c'))).toBe(true)
  })

  it('gives a place free as soon as one closes; what has kept failing takes it with its next failure', async () => {
    const { registry, clock } = rig({ maxOpenRatio: 0.5 })
    for (const key of ['a', 'b']) await fail(registry.get(key))
    expect([registry.get('a').state, registry.get('b').state]).toEqual(['open', 'closed'])
    clock.tick('10s')
    await fail(registry.get('b'))
    expect(registry.get('b').state).toBe('closed') // one that is half-open still counts
    await succeed(registry.get('a'))
    await fail(registry.get('b'))
    expect([registry.get('a').state, registry.get('b').state]).toEqual(['closed', 'open'])
  })

  it('never keeps the only one from opening, nor a hand, nor one that was open already', async () => {
    const { registry, clock } = rig({ maxOpenRatio: 0 })
    await fail(registry.get('a'))
    expect(registry.get('a').state).toBe('open')
    clock.tick('10s')
    await fail(registry.get('a')) // a probe
    registry.get('b').forceOpen()
    registry.get('c').isolate()
    expect(['a', 'b', 'c'].map((key) => registry.get(key).state)).toEqual(['open', 'open', 'isolated'])
  })

  it('the open time starts anew once a breaker has been healthy, so that one bad hour is not held against it', async () => {
    const { registry, clock } = rig({ openForFactor: 2 })
    const breaker = registry.get('a')
    for (const openMs of [10_000, 20_000, 40_000]) {
      await fail(breaker)
      expect(breaker.tryAcquire()).toMatchObject({ retryAfterMs: openMs })
      clock.tick(openMs)
    }
    await succeed(breaker)
    await fail(breaker)
    expect(breaker.tryAcquire()).toMatchObject({ retryAfterMs: 10_000 })
  })
})
