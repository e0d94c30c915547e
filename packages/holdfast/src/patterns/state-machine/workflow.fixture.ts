import { defineStateMachine, type Clock, type StateMachineDefinition } from 'holdfast'

export type WorkflowState = 'pending' | 'running' | 'completed' | 'failed'
export type WorkflowTrigger = 'start' | 'complete' | 'fail' | 'retry'

/** The workflow of the specification, with a word in `log` for each hook that is called. */
export function workflow(log: string[] = [], clock?: Clock): StateMachineDefinition<WorkflowState, WorkflowTrigger, { attempts: number }> {
  return defineStateMachine({
    name: 'workflow',
    initial: 'pending',
    states: {
      pending: { onExit: () => void log.push('leave pending') },
      running: { onEnter: () => void log.push('enter running'), onExit: () => void log.push('leave running') },
      completed: { onEnter: () => void log.push('enter completed') },
      failed: {},
    },
    transitions: [
      { from: 'pending', to: 'running', event: 'start', action: ({ context }) => void context.attempts++ },
      { from: 'running', to: 'completed', event: 'complete' },
      { from: 'running', to: 'failed', event: 'fail' },
      { from: 'failed', to: 'pending', event: 'retry', guard: ({ context }) => context.attempts < 3 },
    ],
    context: { attempts: 0 },
    ...(clock === undefined ? {} : { clock }),
  })
}
