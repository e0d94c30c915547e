import { circuitBreakers, type CircuitBreakerRegistry, type CircuitBreakerRegistryOptions, type CircuitRegistrySnapshot } from 'holdfast'
import { fakeClock, type FakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { fail, record, succeed } from './circuit-breaker.fixture.ts'

function rig(options: CircuitBreakerRegistryOptions = {}): { readonly clock: FakeClock; readonly registry: CircuitBreakerRegistry } {
  const clock = fakeClock()
  const registry = circuitBreakers({ name: 'hosts', failureThreshold: 1, openFor: '10s', successThreshold: 1, clock, ...options })
  return { clock, registry }
}

const keysAndStates = (registry: CircuitBreakerRegistry): string[] => [...registry.entries()].map(([key, { state }]) => `${key} ${state}`)

async function saved(options: CircuitBreakerRegistryOptions = {}): Promise<CircuitRegistrySnapshot> {
  const { registry } = rig({ failureThreshold: 2, ...options })
  await fail(registry.get('down'), 2)
  await succeed(registry.get('well'))
  await fail(registry.get('stumbling'))
  registry.get('isolated').isolate()
  return JSON.parse(JSON.stringify(registry.snapshot())) as CircuitRegistrySnapshot
}

describe('a registry saved and restored', () => {
  it('holds the breakers of which there is something to say, in the order of their last use', async () => {
    const snapshot = await saved()
    expect(snapshot).toMatchObject({ kind: 'circuit-breakers', version: 1, name: 'hosts', savedAt: expect.any(Number) as number })
    expect(snapshot.breakers.map(({ key, breaker }) => `${key} ${breaker.state}`)).toEqual([
      'down open',
      'stumbling closed',
      'isolated isolated',
    ])
  })

  it('makes the breakers that are missing, and counts what was put into force', async () => {
    const { registry } = rig({ failureThreshold: 2 })
    registry.get('down')
    expect(registry.restore(await saved())).toBe(3)
    expect(keysAndStates(registry).toSorted()).toEqual(['down open', 'isolated isolated', 'stumbling closed'])
    expect(registry.openCount).toBe(2)
    expect(registry.get('stumbling').status().consecutiveFailures).toBe(1)
  })

  it('leaves out what is too old, but nothing that a hand did', async () => {
    const snapshot = await saved()
    const { registry, clock } = rig()
    clock.stepWall(2 * 86_400_000)
    expect(registry.restore(snapshot)).toBe(1)
    expect(keysAndStates(registry).filter((line) => !line.endsWith('closed'))).toEqual(['isolated isolated'])
    expect(registry.restore(snapshot, { maxAge: Infinity })).toBe(3)
  })

  it('leaves closed ones out where the room is needed', async () => {
    const { registry } = rig({ maxKeys: 2 })
    expect(registry.restore(await saved())).toBe(2)
    expect(keysAndStates(registry).toSorted()).toEqual(['down open', 'isolated isolated'])
  })

  it('refuses a snapshot with more open breakers than there is room for, and changes nothing', async () => {
    const snapshot = await saved()
    const { registry } = rig({ maxKeys: 2 })
    await fail(registry.get('other'))
    expect(() => registry.restore(snapshot)).toThrow(
      "hosts: the snapshot's 'breakers' must be a list with 1 breakers fewer that are not closed, or 'maxKeys' raised, got an array of 3",
    )
    expect(keysAndStates(registry)).toEqual(['other open'])
    registry.get('other').close()
    expect(registry.restore(snapshot)).toBe(2)
  })

  it.each([
    [[], 'hosts: a snapshot must be an object'],
    [{ kind: 'circuit-breaker' }, "hosts: the snapshot's 'kind' must be 'circuit-breakers'"],
    [{ version: 0 }, "hosts: the snapshot's 'version' must be 1"],
    [{ name: 'tenants' }, `hosts: the snapshot's 'name' must be 'hosts', got "tenants"`],
    [{ breakers: {} }, "hosts: the snapshot's 'breakers' must be a list of saved breakers, got an object"],
    [{ breakers: [null] }, "hosts: the snapshot's 'breakers' must be a list in which each entry has a key of its own, a text"],
    [{ breakers: [{ key: 'a', breaker: {} }] }, "hosts/a: the snapshot's 'kind' must be 'circuit-breaker', got undefined"],
  ])('refuses %j', async (change, message) => {
    const { registry } = rig()
    const given = Array.isArray(change) ? change : { ...(await saved()), ...change }
    expect(() => registry.restore(given as never)).toThrow(message)
    expect(registry.size).toBe(0)
  })

  it('refuses a key that comes twice, and a breaker saved under another key', async () => {
    const { registry } = rig()
    const snapshot = await saved()
    const [first] = snapshot.breakers
    expect(() => registry.restore({ ...snapshot, breakers: [first, first] as never })).toThrow('a key of its own')
    expect(() => registry.restore({ ...snapshot, breakers: [{ ...first, key: 'b' }] as never })).toThrow(
      `hosts/b: the snapshot's 'name' must be 'hosts/b', got "hosts/down"`,
    )
  })
})

describe('reconfigure of a registry', () => {
  it('holds for the breakers there are and those that are made later; states and figures stay', async () => {
    const { registry, clock } = rig()
    await fail(registry.get('a'))
    registry.reconfigure({ failureThreshold: 3, openFor: '1s' })
    expect(registry.get('a').status()).toMatchObject({ state: 'open', failureTotal: 1, nextAttemptAt: clock.wallNow() + 10_000 })
    await fail(registry.get('b'), 2)
    expect(registry.get('b').state).toBe('closed')
    await fail(registry.get('b'))
    expect(registry.get('b').status()).toMatchObject({ state: 'open', nextAttemptAt: clock.wallNow() + 1_000 })
    for (const key of ['a', 'b']) expect(registry.get(key).describe()).toMatchObject({ failureThreshold: 3, openForMs: 1_000 })
  })

  it('puts another cap into force, which closes nobody', async () => {
    const { registry } = rig()
    for (const key of ['a', 'b', 'c', 'd']) registry.get(key)
    for (const key of ['a', 'b']) await fail(registry.get(key))
    registry.reconfigure({ failureThreshold: 1, maxOpen: 1 })
    await fail(registry.get('c'))
    expect(keysAndStates(registry)).toEqual(['d closed', 'a open', 'b open', 'c closed'])
    registry.reconfigure({ failureThreshold: 1, maxOpenRatio: 0.75 })
    await fail(registry.get('c'))
    await fail(registry.get('d'))
    expect(registry.openCount).toBe(3)
  })

  it('a cap that comes later counts the success that ends a crossing', async () => {
    const { registry } = rig()
    for (const key of ['a', 'b']) registry.get(key)
    registry.reconfigure({ consecutiveFailures: 1, maxOpen: 1 })
    registry.get('a').isolate()
    const events = record(registry)
    for (let crossing = 0; crossing < 2; crossing++) {
      await fail(registry.get('b'))
      await succeed(registry.get('b'))
    }
    expect(events.map(({ type }) => type)).toEqual(['circuit.ejection-capped', 'circuit.ejection-capped'])
  })

  it('with fewer keys drops what may be dropped, at once, and never an open one', async () => {
    const dropped: string[] = []
    const { registry } = rig({ onDrop: (key) => dropped.push(key) })
    for (const key of ['a', 'b', 'c', 'd']) registry.get(key)
    await fail(registry.get('a'))
    await fail(registry.get('b'))
    registry.reconfigure({ failureThreshold: 1, maxKeys: 1 })
    expect(dropped).toEqual(['c', 'd'])
    expect(keysAndStates(registry)).toEqual(['a open', 'b open'])
    expect(() => registry.get('e')).toThrow("raise 'maxKeys'")
  })

  it.each([
    [{ maxKeys: 0 }, "hosts: option 'maxKeys' must be a whole number from 1 up, got 0"],
    [{ maxOpen: 1, maxOpenRatio: 1 }, "hosts: option 'maxOpenRatio' must be absent when 'maxOpen' is given, got 1"],
    [{ name: 'other' }, "hosts: there is no option 'name'"],
    [{ failureThreshold: 0 }, "hosts: option 'failureThreshold' must be"],
  ])('refuses %o, and changes nothing', (settings, message) => {
    const { registry } = rig({ maxOpen: 2 })
    const before = registry.get('a').describe()
    expect(() => registry.reconfigure({ openFor: '1s', ...settings } as never)).toThrow(message)
    expect(registry.get('a').describe()).toEqual(before)
    expect(registry.get('b').describe()).toMatchObject({ openForMs: 10_000 })
  })
})
