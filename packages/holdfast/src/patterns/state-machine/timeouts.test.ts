import { defineStateMachine, type StateMachineDefinition } from 'holdfast'
import { fakeClock, type FakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'

type Order = StateMachineDefinition<'open' | 'paying' | 'expired' | 'paid', 'pay' | 'confirm' | 'expire' | 'again'>

function orders(clock: FakeClock): Order {
  return defineStateMachine({
    name: 'order',
    initial: 'open',
    states: {
      open: { timeout: { after: '30s', event: 'expire' } },
      paying: { timeout: { after: '10s', event: 'expire' } },
      expired: {},
      paid: {},
    },
    transitions: [
      { from: 'open', to: 'paying', event: 'pay' },
      { from: 'paying', to: 'paid', event: 'confirm' },
      { from: ['open', 'paying'], to: 'expired', event: 'expire' },
      { from: 'open', to: 'open', event: 'again' },
    ],
    clock,
  })
}

describe('the time of a state', () => {
  it('ends with its event, counted from entering it', async () => {
    const clock = fakeClock()
    const order = orders(clock).start()
    await clock.advance(29_999)
    expect(order.currentState).toBe('open')
    await clock.advance(1)
    expect(order.currentState).toBe('expired')
    expect(clock.timers).toEqual([])
  })

  it('ends with the state, and begins anew with the next one, or the same again', async () => {
    const clock = fakeClock()
    const order = orders(clock).start()
    await clock.advance(25_000)
    await order.trigger('again')
    await clock.advance(25_000)
    await order.trigger('pay')
    await clock.advance(9_999)
    expect(order.currentState).toBe('paying')
    await order.trigger('confirm')
    await clock.advance('1h')
    expect(order.currentState).toBe('paid')
  })

  it('that ends while another transition is under way does not end the next state', async () => {
    const clock = fakeClock()
    let end = (): void => undefined
    const machine = defineStateMachine({
      initial: 'a',
      states: {
        a: { timeout: { after: 10, event: 'expire' }, onExit: () => new Promise<void>((resolve) => (end = resolve)) },
        b: { timeout: { after: 10, event: 'expire' } },
        c: {},
      },
      transitions: [
        { from: 'a', to: 'b', event: 'go' },
        { from: ['a', 'b'], to: 'c', event: 'expire' },
      ],
      clock,
    }).start()
    const going = machine.trigger('go')
    await clock.advance(10)
    end()
    expect(await going).toBe('b')
    await clock.advance(9)
    expect(machine.currentState).toBe('b')
    await clock.advance(1)
    expect(machine.currentState).toBe('c')
  })

  it('goes on over a snapshot, the time between included', async () => {
    const before = fakeClock({ wallMs: 1_000_000 })
    const order = orders(before).start()
    await before.advance(12_000)
    const text = JSON.stringify(order.serialize())
    expect(JSON.parse(text)).toMatchObject({ state: 'open', timeoutAt: 1_030_000 })
    const after = fakeClock({ startMs: 77, wallMs: 1_020_000 })
    const restored = orders(after).restore(text)
    await after.advance(9_999)
    expect(restored.currentState).toBe('open')
    await after.advance(1)
    expect(restored.currentState).toBe('expired')
  })

  it.each([
    ['was over long ago: it ends at once', 9_000_000, 0],
    ['lies in the future of a clock that was set back: it is never longer than the whole', 5, 30_000],
  ])('that %s', async (_what, wallMs, leftMs) => {
    const before = fakeClock({ wallMs: 1_000_000 })
    const snapshot = orders(before).start().serialize()
    const after = fakeClock({ wallMs })
    const restored = orders(after).restore(snapshot)
    if (leftMs > 0) await after.advance(leftMs - 1)
    expect(restored.currentState).toBe('open')
    await after.advance(1)
    expect(restored.currentState).toBe('expired')
  })

  it('a machine that is disposed of, or is in a state without a limit, owns no timer', async () => {
    const clock = fakeClock()
    const first = orders(clock).start()
    const second = orders(clock).start()
    first.dispose()
    await second.trigger('pay')
    await second.trigger('confirm')
    await clock.advance('1m')
    expect([first.currentState, second.currentState, clock.timers]).toEqual(['open', 'paid', []])
    await expect(first.trigger('pay')).rejects.toMatchObject({ code: 'ERR_DISPOSED' })
  })
})
