import fc from 'fast-check'
import { circuitBreaker, circuitBreakers, circuitGroup, type CircuitBreaker, type CircuitGroup, type CircuitGroupOptions } from 'holdfast'
import { fakeClock, type FakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { fail, permitOf, record, succeed } from './circuit-breaker.fixture.ts'

interface GroupRig {
  readonly clock: FakeClock
  readonly group: CircuitGroup
  readonly member: (name: string, options?: Parameters<typeof circuitBreaker>[0]) => CircuitBreaker
}

function rig(options: CircuitGroupOptions = {}): GroupRig {
  const clock = fakeClock()
  const group = circuitGroup({ name: 'replicas', ...options })
  return {
    clock,
    group,
    member: (name, more = {}) =>
      circuitBreaker({ failureThreshold: 1, openFor: '10s', successThreshold: 1, clock, ...more, name, group } as never),
  }
}

const statesOf = (breakers: readonly CircuitBreaker[]): string => breakers.map(({ state }) => state).join(' ')

describe('50: a group', () => {
  it.each([
    [{ maxOpen: 2 }, 'open open closed closed closed'],
    [{ maxOpenRatio: 0.4 }, 'open open closed closed closed'],
    [{ maxOpenRatio: 0.39 }, 'open closed closed closed closed'],
    [{ maxOpenRatio: 0 }, 'open closed closed closed closed'],
    [{ maxOpenRatio: 1 }, 'open open open open open'],
    [{}, 'open open open open open'],
  ])('with %o lets so many of five open, and keeps the next one closed', async (options, states) => {
    const { member } = rig(options)
    const members = ['a', 'b', 'c', 'd', 'e'].map((name) => member(name))
    for (const each of members) await fail(each, 2)
    expect(statesOf(members)).toBe(states)
  })

  it('a share of a hundred that is a whole number is that number, though its product is not', () => {
    const { group, member } = rig({ maxOpenRatio: 0.29 })
    for (let name = 0; name < 100; name++) member(String(name))
    expect(group.status().maxOpen).toBe(29)
  })

  it('says so once per crossing, counts it, and lets the capped one serve on', async () => {
    const { group, member } = rig({ maxOpen: 1 })
    const [a, b] = [member('a'), member('b')]
    const [events, own] = [record(group), record(b)]
    await fail(a)
    await fail(b, 3)
    await succeed(b) // the row of failures has ended: a new crossing
    await fail(b)
    await Promise.resolve()
    expect(events.map(({ type, policy }) => `${type} ${policy}`)).toEqual(['circuit.opened a', 'circuit.ejection-capped b'])
    expect(own).toMatchObject([{ type: 'circuit.ejection-capped', reason: { rule: 'failure-threshold' }, failures: 1 }])
    expect(b.status()).toMatchObject({
      state: 'closed',
      ejectionsCappedTotal: 1,
      wouldHaveOpenedTotal: 0,
      failureTotal: 4,
      successTotal: 1,
    })
    expect(group.status()).toEqual({ kind: 'circuit-group', name: 'replicas', members: 2, open: 1, maxOpen: 1, ejectionsCappedTotal: 1 })
  })

  it('a crossing that ends and comes again is told again', async () => {
    const { clock, member } = rig({ maxOpen: 1 })
    const [a, b] = [member('a'), member('b', { failureWindow: '1s' })]
    a.isolate()
    await fail(b)
    clock.tick('1s')
    await succeed(b)
    await fail(b)
    expect(b.status()).toMatchObject({ state: 'closed', ejectionsCappedTotal: 2 })
  })

  it('gives the place of one that closes to the next that fails', async () => {
    const { clock, member } = rig({ maxOpen: 1 })
    const [a, b] = [member('a'), member('b')]
    await fail(a)
    await fail(b)
    clock.tick('10s')
    await succeed(a)
    expect(statesOf([a, b])).toBe('closed closed')
    await fail(b)
    expect(statesOf([a, b])).toBe('closed open')
  })

  it('caps neither hands nor the reopening of one that is half-open', async () => {
    const { clock, member } = rig({ maxOpen: 1 })
    const [a, b, c] = [member('a'), member('b'), member('c')]
    await fail(a)
    b.forceOpen()
    c.isolate()
    clock.tick('10s')
    await fail(a)
    expect(statesOf([a, b, c])).toBe('open half-open isolated')
  })

  it('a member whose time is over and that nobody calls any more makes room, one that is probed does not', async () => {
    const { clock, member } = rig({ maxOpen: 1 })
    const [unused, failing] = [member('unused'), member('failing')]
    await fail(unused)
    clock.tick('10s')
    clock.tick(29_999)
    await fail(failing)
    expect(statesOf([unused, failing])).toBe('half-open closed')
    const probe = permitOf(unused) // lasts 30 s
    clock.tick(29_999)
    await fail(failing)
    expect(statesOf([unused, failing])).toBe('half-open closed')
    probe.ignore()
    clock.tick(1)
    const events = record(unused)
    await fail(failing)
    expect(statesOf([unused, failing])).toBe('closed open')
    expect(events).toMatchObject([{ type: 'circuit.closed', from: 'half-open', manual: false }])
  })

  it('of several unused members, the one that has waited longest makes room; isolated ones never do', async () => {
    const { clock, member } = rig({ maxOpen: 3 })
    const [isolated, second, first, failing] = ['isolated', 'second', 'first', 'failing'].map((name) => member(name)) as [
      CircuitBreaker,
      CircuitBreaker,
      CircuitBreaker,
      CircuitBreaker,
    ]
    isolated.isolate()
    await fail(first)
    clock.tick('1s')
    await fail(second)
    clock.tick('1h')
    await fail(failing)
    expect(statesOf([isolated, first, second, failing])).toBe('isolated closed half-open open')
  })

  it('holds for the breakers of registries, and over several of them', async () => {
    const clock = fakeClock()
    const group = circuitGroup({ maxOpen: 2 })
    const [read, write] = ['read', 'write'].map((name) => circuitBreakers({ name, failureThreshold: 1, group, clock, maxKeys: 3 }))
    for (const registry of [read, write]) for (const key of ['a', 'b']) await fail(registry!.get(key))
    expect([read?.openCount, write?.openCount, group.openCount, group.size]).toEqual([2, 0, 2, 4])
    for (const key of ['c', 'd', 'e']) write?.get(key) // drops two closed ones
    expect(group.size).toBe(5)
  })

  it('a member that is taken out counts no more, and obeys the cap no more', async () => {
    const { group, member } = rig({ maxOpen: 1 })
    const [a, b] = [member('a'), member('b')]
    await fail(a)
    expect([group.remove(a), group.remove(a), group.remove({})]).toEqual([true, false, false])
    expect([group.size, group.openCount]).toEqual([1, 0])
    await fail(b)
    expect(statesOf([a, b])).toBe('open open')
    a.close()
    await fail(a)
    expect(statesOf([a, b])).toBe('open open')
    expect(group.openCount).toBe(1)
  })

  it('takes in no more members than it may have', () => {
    const { group, member } = rig({ maxMembers: 1 })
    const one = member('one')
    expect(() => member('two')).toThrow(
      `replicas: has 1 members already, "two" cannot join; remove() those no longer used, or raise 'maxMembers'`,
    )
    group.remove(one)
    expect(member('three').state).toBe('closed')
  })

  it.each([
    [{ maxOpen: 0 }, "replicas: option 'maxOpen' must be a whole number from 1 up, got 0"],
    [{ maxOpenRatio: 2 }, "replicas: option 'maxOpenRatio' must be a share from 0 to 1 (0.5 is 50 %), got 2"],
    [{ maxOpen: 1, maxOpenRatio: 0.5 }, "replicas: option 'maxOpenRatio' must be absent when 'maxOpen' is given, got 0.5"],
    [{ maxMembers: 0 }, "replicas: option 'maxMembers' must be a whole number from 1 up, got 0"],
    [{ maxopen: 1 } as never, "circuitGroup: there is no option 'maxopen' (did you mean 'maxOpen'?)"],
  ])('refuses %o', (options, message) => {
    expect(() => rig(options)).toThrow(message)
  })

  it('is told from look-alikes', () => {
    expect(() => circuitBreaker({ group: { name: 'x' } as never })).toThrow(
      "circuit-breaker: option 'group' must be a circuitGroup(), got an object",
    )
  })

  it('whatever happens in whatever order, members that opened by themselves are never more than may be', async () => {
    const step = fc.record({
      which: fc.nat(4),
      what: fc.constantFrom<'fail' | 'succeed' | 'tick' | 'ignore' | 'close'>('fail', 'fail', 'fail', 'succeed', 'tick', 'ignore', 'close'),
      ms: fc.constantFrom(1, 5_000, 10_000, 40_000),
    })
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 60, size: 'max' }), async (maxOpen, steps) => {
        const { clock, group, member } = rig({ maxOpen })
        const members = ['a', 'b', 'c', 'd', 'e'].map((name) => member(name))
        for (const { which, what, ms } of steps) {
          const each = members[which] as CircuitBreaker
          if (what === 'fail') await fail(each)
          else if (what === 'succeed') await succeed(each)
          else if (what === 'tick') clock.tick(ms)
          else if (what === 'close') each.close()
          else {
            const permit = each.tryAcquire()
            if (!permit.refused) permit.ignore()
          }
          const open = members.filter(({ state }) => state !== 'closed').length
          expect(open).toBe(group.openCount)
          expect(open).toBeLessThanOrEqual(maxOpen)
        }
      }),
      { numRuns: 300, seed: 50 },
    )
  })
})

describe('50: openForDecay, growth that shrinks while the circuit is closed', () => {
  const openFor = (breaker: CircuitBreaker, clock: FakeClock): number => (breaker.status().nextAttemptAt ?? 0) - clock.wallNow()

  async function openAndClose(breaker: CircuitBreaker, clock: FakeClock): Promise<number> {
    await fail(breaker)
    const forMs = openFor(breaker, clock)
    clock.tick(forMs)
    await succeed(breaker)
    return forMs
  }

  it('stays open for longer with every opening that soon follows a closing', async () => {
    const { member, clock } = rig()
    const breaker = member('a', { openForFactor: 2, openForDecay: '1m' })
    for (const forMs of [10_000, 20_000, 40_000]) expect(await openAndClose(breaker, clock)).toBe(forMs)
  })

  it('takes one opening back per time of health, and never more than there were', async () => {
    for (const [healthy, forMs] of [
      ['59s', 80_000],
      ['1m', 40_000],
      ['2m', 20_000],
      ['3m', 10_000],
      ['9m', 10_000],
    ] as const) {
      const { member, clock } = rig()
      const breaker = member('a', { openForFactor: 2, openForDecay: '1m' })
      for (let opening = 0; opening < 3; opening++) await openAndClose(breaker, clock)
      clock.tick(healthy)
      expect(await openAndClose(breaker, clock)).toBe(forMs)
    }
  })

  it('a hand that closes forgives everything', async () => {
    const { member, clock } = rig()
    const breaker = member('a', { openForFactor: 2, openForDecay: '1m' })
    for (let opening = 0; opening < 3; opening++) await openAndClose(breaker, clock)
    breaker.close()
    expect(await openAndClose(breaker, clock)).toBe(10_000)
  })

  it('needs a growth', () => {
    expect(() => circuitBreaker({ openForDecay: '1m' })).toThrow(
      "option 'openForDecay' must be given together with an 'openForFactor' above 1",
    )
    expect(circuitBreaker({ openForDecay: '1m', openForFactor: 2 }).describe()).toMatchObject({ openForDecayMs: 60_000 })
  })
})
