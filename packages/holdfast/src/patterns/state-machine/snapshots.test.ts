import { defineStateMachine } from 'holdfast'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { workflow } from './workflow.fixture.ts'

describe('snapshots', () => {
  it('115: a machine that is restored anywhere goes on as if it had not been', async () => {
    const events = fc.constantFrom('start', 'complete', 'fail', 'retry')
    await fc.assert(
      fc.asyncProperty(fc.array(events, { maxLength: 20, size: 'max' }), fc.nat(20), async (script, cut) => {
        const live = workflow().start()
        let restored = workflow().start()
        for (const [index, event] of script.entries()) {
          const answers = await Promise.all([live, restored].map((machine) => machine.trigger(event as 'start').catch(codeOf)))
          expect(answers[0]).toEqual(answers[1])
          if (index === cut) restored = workflow().restore(JSON.stringify(restored.serialize()))
        }
        const strip = (machine: typeof live): unknown => ({
          ...machine.serialize(),
          enteredAt: 0,
          history: machine.history().map(({ from, to, event }) => ({ from, to, event })),
        })
        expect(strip(restored)).toEqual(strip(live))
      }),
    )
  })

  it('115: replaying the history leads to the same state', async () => {
    const machine = workflow().start()
    for (const event of ['start', 'fail', 'retry', 'start', 'complete'] as const) await machine.trigger(event)
    const replayed = workflow().start()
    for (const { event } of machine.history()) await replayed.trigger(event)
    expect(replayed.currentState).toBe(machine.currentState)
    expect(replayed.context).toEqual(machine.context)
  })

  it('say which transition was under way, since its hooks may have done their work in part', async () => {
    const machine = defineStateMachine({
      name: 'job',
      initial: 'a',
      states: { a: {}, b: { onEnter: () => new Promise(() => undefined) } },
      transitions: [
        { from: 'a', to: 'b', event: 'go' },
        { from: 'b', to: 'a', event: 'back' },
      ],
    })
    const live = machine.start()
    void live.trigger('go')
    const snapshot = live.serialize()
    expect(snapshot).toMatchObject({ state: 'b', unfinished: 'go' })
    expect(() => live.deserialize(snapshot)).toThrow(expect.objectContaining({ code: 'ERR_TRANSITION_BUSY' }))
    const restored = machine.restore(snapshot)
    expect([restored.currentState, restored.unfinished]).toEqual(['b', 'go'])
    expect(machine.restore(JSON.parse(JSON.stringify(restored.serialize()))).unfinished).toBe('go')
    await restored.trigger('back')
    expect(restored.unfinished).toBeNull()
  })

  it('share nothing with the machine they come from', async () => {
    const machine = workflow().start()
    const snapshot = machine.serialize()
    await machine.trigger('start')
    expect(snapshot.context).toEqual({ attempts: 0 })
    const restored = workflow().restore(snapshot)
    await restored.trigger('start')
    expect(snapshot.context).toEqual({ attempts: 0 })
  })

  const good = { machine: 'workflow', version: 1, state: 'running', enteredAt: null, timeoutAt: null, unfinished: null, history: [] }
  it.each<[string, unknown, string]>([
    ['no object', 5, 'it must be an object, or its JSON text, got 5'],
    ['no JSON', '{"state":', 'it must be an object, or its JSON text'],
    ['a list', [], 'it must be an object'],
    ['of another machine', { ...good, machine: 'order' }, 'it is of the machine "order"'],
    ['of another version', { ...good, version: 2 }, "it has version 2, this machine has 1, and there is no 'migrate'"],
    ['of a state that is gone', { ...good, state: 'paused' }, '\'state\' is "paused", which is no state of this machine'],
    ['of a state that every object has', { ...good, state: '__proto__' }, 'which is no state of this machine'],
    ['with a wrong time', { ...good, timeoutAt: 'soon' }, '\'timeoutAt\' must be epoch ms or null, got "soon"'],
    ['with a wrong history', { ...good, history: [{ from: 'a', to: 'b' }] }, "'history[0]' must have an event and its time"],
    ['without a history', { ...good, history: undefined }, "'history' must be a list"],
    ['with a wrong event', { ...good, unfinished: 7 }, "'unfinished' must be an event or null, got 7"],
  ])('that are %s are refused, and nothing has changed', (_what, data, message) => {
    const machine = workflow().start()
    expect(() => machine.deserialize(data)).toThrow(
      expect.objectContaining({ code: 'ERR_STATE_VERSION', message: expect.stringContaining(message) as string }),
    )
    expect(machine.serialize()).toEqual(workflow().start().serialize())
  })

  it('of older versions are migrated', () => {
    const machine = defineStateMachine({
      name: 'job',
      initial: 'waiting',
      states: { waiting: {}, working: {} },
      transitions: [{ from: 'waiting', to: 'working', event: 'start' }],
      version: 2,
      migrate: (old) => ({ ...old, version: 2, state: old['state'] === 'running' ? 'working' : 'waiting' }),
    })
    expect(machine.restore({ ...good, machine: 'job' }).currentState).toBe('working')
    const broken = defineStateMachine({ initial: 'a', states: { a: {} }, transitions: [], version: 3, migrate: (old) => old })
    expect(() => broken.restore({ ...good, machine: 'state-machine' })).toThrow("'migrate' answered with no snapshot of version 3")
  })
})

function codeOf(error: unknown): unknown {
  return (error as { code: unknown }).code
}
