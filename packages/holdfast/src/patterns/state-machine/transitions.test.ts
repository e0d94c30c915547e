import { defineStateMachine, stateMachine } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { workflow } from './workflow.fixture.ts'

describe('transitions', () => {
  it('are made by events, with the hooks of leaving and entering around them', async () => {
    const log: string[] = []
    const machine = workflow(log).start()
    expect(machine.currentState).toBe('pending')
    expect(await machine.trigger('start')).toBe('running')
    expect(await machine.trigger('complete')).toBe('completed')
    expect(log).toEqual(['leave pending', 'enter running', 'leave running', 'enter completed'])
    expect(machine.validTransitions()).toEqual([])
  })

  it('that do not exist are refused, with those that do', async () => {
    const machine = workflow().start()
    await expect(machine.trigger('complete')).rejects.toMatchObject({
      code: 'ERR_INVALID_TRANSITION',
      message: "workflow: there is no \"complete\" in the state 'pending'; there is 'start'",
    })
    await expect(machine.trigger('strat' as 'start')).rejects.toThrow("(did you mean 'start'?)")
    expect(machine.currentState).toBe('pending')
  })

  it('can be asked for without being made', () => {
    const machine = workflow().start()
    expect([machine.canTransition('start'), machine.canTransition('complete')]).toEqual([true, false])
    expect(machine.validTransitions()).toEqual(['start'])
    expect(machine.currentState).toBe('pending')
  })

  it('115: a guard that says no, or throws, leaves the state', async () => {
    const error = new Error('guard')
    const machine = stateMachine({
      initial: 'a',
      states: { a: {}, b: {} },
      transitions: [
        { from: 'a', to: 'b', event: 'refused', guard: () => false },
        {
          from: 'a',
          to: 'b',
          event: 'broken',
          guard: () => {
            throw error
          },
        },
        { from: 'a', to: 'b', event: 'promised', guard: () => Promise.resolve(true) as unknown as boolean },
      ],
    })
    await expect(machine.trigger('refused')).rejects.toMatchObject({ code: 'ERR_TRANSITION_REFUSED' })
    await expect(machine.trigger('broken')).rejects.toBe(error)
    await expect(machine.trigger('promised')).rejects.toThrow('must answer with true or false, not with a promise')
    expect(machine.currentState).toBe('a')
    expect(machine.history()).toEqual([])
    expect(machine.validTransitions()).toEqual([])
  })

  it('of several by one event, the first that its guard lets pass is made', async () => {
    const machine = stateMachine({
      initial: 'cart',
      states: { cart: {}, review: {}, paid: {} },
      transitions: [
        { from: 'cart', to: 'review', event: 'pay', guard: ({ payload }) => (payload as number) > 100 },
        { from: 'cart', to: 'paid', event: 'pay' },
      ],
    })
    expect(await machine.trigger('pay', 50)).toBe('paid')
  })

  it('a hook or an action that fails before the state is entered keeps the machine where it was; one after it does not', async () => {
    const fail = (what: string) => (): never => {
      throw new Error(what)
    }
    const machine = stateMachine({
      initial: 'a',
      states: { a: {}, b: { onExit: () => Promise.reject(new Error('exit')) }, c: { onEnter: fail('enter') } },
      transitions: [
        { from: 'a', to: 'b', event: 'act', action: fail('action') },
        { from: 'a', to: 'b', event: 'go' },
        { from: 'a', to: 'c', event: 'enter' },
        { from: 'b', to: 'a', event: 'back' },
      ],
    })
    await expect(machine.trigger('act')).rejects.toThrow('action')
    expect(machine.currentState).toBe('a')
    await machine.trigger('go')
    await expect(machine.trigger('back')).rejects.toThrow('exit')
    expect(machine.currentState).toBe('b')
    const other = defineStateMachine({
      initial: 'a',
      states: { a: {}, c: { onEnter: fail('enter') } },
      transitions: [{ from: 'a', to: 'c', event: 'enter' }],
    }).start()
    await expect(other.trigger('enter')).rejects.toThrow('enter')
    expect(other.currentState).toBe('c')
    expect(other.history()).toMatchObject([{ from: 'a', to: 'c' }])
  })

  it('send makes them at once, and throws what is wrong', () => {
    const machine = workflow().start()
    expect(machine.send('start')).toBe('running')
    expect(() => machine.send('start')).toThrow(expect.objectContaining({ code: 'ERR_INVALID_TRANSITION' }))
  })

  it('each machine has a context of its own', async () => {
    const definition = workflow()
    const [first, second] = [definition.start(), definition.start()]
    await first.trigger('start')
    expect([first.context.attempts, second.context.attempts]).toEqual([1, 0])
  })

  it('the latest are remembered, and no more than asked for', async () => {
    const clock = fakeClock({ wallMs: 1_000 })
    const machine = stateMachine({
      initial: 'on',
      states: { on: {}, off: {} },
      transitions: [
        { from: 'on', to: 'off', event: 'switch' },
        { from: 'off', to: 'on', event: 'switch' },
      ],
      maxHistory: 3,
      clock,
    })
    for (let count = 0; count < 7; count++) {
      machine.send('switch')
      await clock.advance(10)
    }
    expect(machine.history()).toEqual([
      { from: 'on', to: 'off', event: 'switch', at: 1_040 },
      { from: 'off', to: 'on', event: 'switch', at: 1_050 },
      { from: 'on', to: 'off', event: 'switch', at: 1_060 },
    ])
  })

  it('tells listeners of what happened, in order', async () => {
    const machine = workflow([], fakeClock({ wallMs: 5 })).start()
    const events: unknown[] = []
    machine.on((event) => events.push(event))
    await machine.trigger('start')
    await machine.trigger('fail')
    machine.context.attempts = 3
    await expect(machine.trigger('retry')).rejects.toMatchObject({ code: 'ERR_TRANSITION_REFUSED' })
    await Promise.resolve()
    expect(events).toEqual([
      { type: 'state.entered', policy: 'workflow', at: 5, from: 'pending', to: 'running', event: 'start' },
      { type: 'state.entered', policy: 'workflow', at: 5, from: 'running', to: 'failed', event: 'fail' },
      { type: 'state.transition-refused', policy: 'workflow', at: 5, state: 'failed', event: 'retry' },
    ])
  })
})
