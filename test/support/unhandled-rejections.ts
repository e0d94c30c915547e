import { afterEach, beforeEach, expect } from 'vitest'

/** Lets no test of a file pass that leaves a rejection which nobody handles. */
export function expectNoUnhandledRejection(): void {
  const unhandled: unknown[] = []
  const note = (reason: unknown): void => void unhandled.push(reason)
  beforeEach(() => void process.on('unhandledRejection', note))
  afterEach(async () => {
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
    process.off('unhandledRejection', note)
    expect(unhandled.splice(0)).toEqual([])
  })
}
