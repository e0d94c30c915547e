import type { Edge } from './compile.ts'
import type { TransitionInfo } from './options.ts'

interface Raiser {
  readonly context: unknown
  raise(event: string, payload: unknown): void
}

/** What guards, hooks and actions are told of one transition. */
export class Info implements TransitionInfo<string, string> {
  readonly from: string
  readonly to: string
  readonly event: string
  readonly payload: unknown
  readonly context: unknown
  private readonly machine: Raiser

  constructor(machine: Raiser, edge: Edge, payload: unknown) {
    this.machine = machine
    this.from = edge.from.name
    this.to = edge.to.name
    this.event = edge.event
    this.payload = payload
    this.context = machine.context
  }

  get raise(): (event: string, payload?: unknown) => void {
    return (event, payload) => this.machine.raise(event, payload)
  }
}
