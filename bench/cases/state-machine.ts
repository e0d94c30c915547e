import { defineStateMachine } from 'holdfast'
import { createMachine, interpret, reduce, state, transition } from 'robot3'
import { createActor, setup } from 'xstate'
import type { Case, FreshContestant, TimedContestant } from '../case.ts'
import { names } from '../contestants/common.ts'
import { worked } from '../contestants/work.ts'
import { bytesEach, collectOnDemand } from '../fresh/memory.ts'

const light = defineStateMachine({
  name: 'light',
  initial: 'green',
  states: { green: {}, yellow: {}, red: {} },
  transitions: [
    { from: 'green', to: 'yellow', event: 'next', action: count },
    { from: 'yellow', to: 'red', event: 'next', action: count },
    { from: 'red', to: 'green', event: 'next', action: count },
  ],
})

function count(): void {
  worked.calls++
}

const counted = reduce((context: object) => {
  worked.calls++
  return context
})
const robot = createMachine(
  {
    green: state(transition('next', 'yellow', counted)),
    yellow: state(transition('next', 'red', counted)),
    red: state(transition('next', 'green', counted)),
  },
  () => ({}),
)

const xstateMachine = setup({ actions: { count } }).createMachine({
  initial: 'green',
  states: {
    green: { on: { next: { target: 'yellow', actions: 'count' } } },
    yellow: { on: { next: { target: 'red', actions: 'count' } } },
    red: { on: { next: { target: 'green', actions: 'count' } } },
  },
})

type Light = 'green' | 'yellow' | 'red'

/** A switch, as it is written without a library. */
class HandWrittenLight {
  state: Light = 'green'

  next(): void {
    worked.calls++
    switch (this.state) {
      case 'green':
        this.state = 'yellow'
        break
      case 'yellow':
        this.state = 'red'
        break
      case 'red':
        this.state = 'green'
    }
  }
}

const doNothing = (): void => undefined

function transitions(): readonly TimedContestant[] {
  const hand = new HandWrittenLight()
  const ours = light.start()
  const queued = light.start()
  const service = interpret(robot, doNothing)
  const actor = createActor(xstateMachine).start()
  const next = { type: 'next' } as const
  return [
    { name: 'hand-written', role: 'hand-written', call: () => hand.next(), synchronous: true },
    { name: 'holdfast `send`', role: 'ours', call: () => ours.send('next'), synchronous: true },
    { name: 'holdfast `trigger`', role: 'ours', call: () => queued.trigger('next') },
    { name: names.robot3, role: 'peer', call: () => service.send('next'), synchronous: true },
    { name: names.xstate, role: 'peer', call: () => actor.send(next), synchronous: true },
  ]
}

const instances = 100_000

/** Each machine makes one transition. */
function machines(): readonly FreshContestant[] {
  const measured = (make: () => { go: () => unknown; kept: unknown }) => () =>
    bytesEach(instances, () => {
      const { go, kept } = make()
      go()
      return kept
    })
  return [
    {
      name: 'holdfast',
      role: 'ours',
      measure: measured(() => {
        const machine = light.start()
        return { go: () => machine.send('next'), kept: machine }
      }),
    },
    {
      name: names.robot3,
      role: 'peer',
      measure: measured(() => {
        const service = interpret(robot, doNothing)
        return { go: () => service.send('next'), kept: service }
      }),
    },
    {
      name: names.xstate,
      role: 'peer',
      measure: measured(() => {
        const actor = createActor(xstateMachine).start()
        return { go: () => actor.send({ type: 'next' }), kept: actor }
      }),
    },
  ]
}

export const stateMachines: readonly Case[] = [
  {
    kind: 'timed',
    name: 'state-machine',
    title: 'State machine: a transition with an action',
    note: '`trigger` waits for hooks and for its turn, `send` happens at once, as it does in robot3 and xstate.',
    unit: 'ns',
    page: 'state-machine',
    gates: [{ kind: 'must', versus: names.robot3, atMost: 0.3 }],
    contestants: transitions,
  },
  {
    kind: 'fresh',
    name: 'state-machine-bytes',
    title: 'Memory of a state machine after its first transition',
    note: 'Of 100,000 that share one definition.',
    unit: 'bytes',
    page: 'state-machine',
    gates: [{ kind: 'must', versus: names.robot3, atMost: 0.75 }],
    nodeOptions: collectOnDemand,
    contestants: machines,
  },
]
