/** Work that begins often, and that can all be ended at once. */
export interface Stoppable<Input, Result> {
  readonly run: (input: Input) => Promise<Result>
  /** Aborts everything that runs, and everything that is begun later. */
  stop(): void
}

/** Gives every piece of work a signal of its own: a shared one would collect the listeners of all that ever ran. */
export function stoppable<Input, Result>(work: (input: Input, signal: AbortSignal) => Promise<Result>): Stoppable<Input, Result> {
  const running = new Set<AbortController>()
  let stopped = false
  return {
    run: async (input) => {
      const controller = new AbortController()
      if (stopped) controller.abort()
      running.add(controller)
      try {
        return await work(input, controller.signal)
      } finally {
        running.delete(controller)
      }
    },
    stop: () => {
      stopped = true
      for (const controller of running) controller.abort()
    },
  }
}
