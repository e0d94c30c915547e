import { defineStateMachine, stateMachine, type StateMachineOptions } from 'holdfast'
import { describe, expect, it } from 'vitest'
import { workflow } from './workflow.fixture.ts'

const states = { a: {}, b: {} }
const transitions = [{ from: 'a', to: 'b', event: 'go' }] as const

describe('what a definition says', () => {
  it.each<[string, object, string]>([
    ['no states', { initial: 'a', states: {}, transitions }, "option 'states' must be an object with at least one state"],
    ['no transitions', { initial: 'a', states }, "option 'transitions' must be a list of transitions"],
    [
      'an initial state that is none',
      { initial: 'A1', states, transitions },
      `option 'initial' must be one of the states (did you mean 'a'?)`,
    ],
    ['a source that is none', { initial: 'a', states, transitions: [{ from: 'x', to: 'b', event: 'go' }] }, "option 'transitions[0].from'"],
    ['a target that is none', { initial: 'a', states, transitions: [{ from: 'a', to: 5, event: 'go' }] }, "option 'transitions[0].to'"],
    ['no event', { initial: 'a', states, transitions: [{ from: 'a', to: 'b' }] }, "option 'transitions[0].event' must be a text"],
    ['a misspelt option', { initial: 'a', states, transitions, maxHistroy: 1 }, "did you mean 'maxHistory'?"],
    ['a misspelt hook', { initial: 'a', states: { a: { onEntry: 1 }, b: {} }, transitions }, "did you mean 'onEnter'?"],
    [
      'a time limit that leads nowhere',
      { initial: 'a', states: { a: { timeout: { after: '1s', event: 'gone' } }, b: {} }, transitions },
      "option 'states.a.timeout.event' must be an event that leads out of 'a'",
    ],
    [
      'a transition that can never be made',
      { initial: 'a', states, transitions: [...transitions, { from: 'a', to: 'a', event: 'go' }] },
      "option 'transitions[1]' must be reachable: another transition from 'a' by this event has no guard and comes first",
    ],
    [
      'no time',
      { initial: 'a', states: { a: { timeout: { after: '0s', event: 'go' } }, b: {} }, transitions },
      "option 'states.a.timeout.after'",
    ],
  ])('is checked: %s', (_what, options, message) => {
    expect(() => stateMachine(options as unknown as StateMachineOptions<string, string>)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTION', message: expect.stringContaining(message) as string }),
    )
  })

  it('can be read as plain data and as a picture', () => {
    const machine = workflow().start()
    machine.send('start')
    expect(machine.describe()).toEqual({
      kind: 'state-machine',
      name: 'workflow',
      initial: 'pending',
      states: ['pending', 'running', 'completed', 'failed'],
      events: ['start', 'complete', 'fail', 'retry'],
      transitions: [
        { from: 'pending', to: 'running', event: 'start', guarded: false },
        { from: 'running', to: 'completed', event: 'complete', guarded: false },
        { from: 'running', to: 'failed', event: 'fail', guarded: false },
        { from: 'failed', to: 'pending', event: 'retry', guarded: true },
      ],
    })
    expect(machine.mermaid()).toBe(
      `stateDiagram-v2
  state "pending" as s0
  state "running" as s1
  state "completed" as s2
  state "failed" as s3
  [*] --> s0
  s0 --> s1 : start
  s1 --> s2 : complete
  s1 --> s3 : fail
  s2 --> [*]
  s3 --> s0 : retry [guarded]
  classDef current stroke-width:3px
  class s1 current
`,
    )
    expect(workflow().mermaid()).not.toContain('current')
  })

  it('names that are no Mermaid words stay names', () => {
    const picture = defineStateMachine({
      initial: 'end" as x\n[*]',
      states: { 'end" as x\n[*]': {}, 'b:c;%%': {} },
      transitions: [{ from: 'end" as x\n[*]', to: 'b:c;%%', event: 'a --> b' }],
    }).mermaid()
    expect(picture.split('\n')).toEqual([
      'stateDiagram-v2',
      '  state "end#34; as x#10;#91;#42;#93;" as s0',
      '  state "b#58;c#59;#37;#37;" as s1',
      '  [*] --> s0',
      '  s0 --> s1 : a --#62; b',
      '  s1 --> [*]',
      '',
    ])
  })

  it('is checked by the compiler as well', () => {
    const machine = stateMachine({ initial: 'a', states, transitions })
    const state: 'a' | 'b' = machine.currentState
    const wrong = (): void => {
      // @ts-expect-error -- there is no such event
      void machine.trigger('og')
      // @ts-expect-error -- there is no such state
      stateMachine({ initial: 'c', states, transitions })
      // @ts-expect-error -- a transition to a state that is none
      stateMachine({ initial: 'a', states, transitions: [{ from: 'a', to: 'z', event: 'go' }] })
    }
    expect(typeof wrong).toBe('function')
    expect(state).toBe('a')
  })
})
