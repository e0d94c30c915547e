import type { Port } from '../../core/ports/port.ts'

/** The test runner's own way to state a test: `it` of vitest, `test` of node:test … */
export interface ConformanceRunner {
  readonly it: (name: string, run: () => Promise<void>) => unknown
}

/** One store, empty at first, and how a test treats it. Each test makes one. */
export interface EngineRig<P extends Port> {
  /** Another client of the store. */
  connect(): P | PromiseLike<P>
  /** Lets time pass for the store: moves its clock, or waits. */
  advance(ms: number): Promise<void>
  /** The client dies without a word. */
  vanish(client: P): void | PromiseLike<void>
  dispose(): void | PromiseLike<void>
}

export type MakeEngineRig<P extends Port> = () => EngineRig<P> | PromiseLike<EngineRig<P>>

let attempts = 0

/** What a verb that changes something is told, with an attempt of its own. */
export function sending(deadlineMs = 5_000): { readonly deadlineMs: number; readonly attempt: string } {
  return { deadlineMs, attempt: `attempt-${++attempts}` }
}

export const asking = { deadlineMs: 5_000 } as const

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

/** States a test with a rig of its own. */
export function rigged<P extends Port>(
  { it }: ConformanceRunner,
  makeRig: MakeEngineRig<P>,
): (name: string, run: (rig: EngineRig<P>, client: P) => Promise<void>) => void {
  return (name, run) => {
    it(name, async () => {
      const rig = await makeRig()
      try {
        await run(rig, await rig.connect())
      } finally {
        await rig.dispose()
      }
    })
  }
}

/** The rules that hold for every port: deadlines, readiness, closing, void attempts. */
export function portConformance<P extends Port>(
  runner: ConformanceRunner,
  makeRig: MakeEngineRig<P>,
  write: (client: P, options: { readonly deadlineMs: number; readonly attempt: string }) => Promise<unknown>,
  equal: (actual: unknown, expected: unknown) => void,
): void {
  const test = rigged(runner, makeRig)
  const isUnavailable = (answer: unknown): boolean => {
    const one: unknown = Array.isArray(answer) ? answer[0] : answer
    return (one as { why?: unknown } | undefined)?.why === 'unavailable'
  }

  test('says what it promises, and that it is ready', async (_rig, client) => {
    equal(typeof client.profile.engine, 'string')
    equal(await client.ready(asking), true)
  })

  test('a deadline that has passed is unavailable, and nothing was applied', async (_rig, client) => {
    const late = sending(0)
    equal(isUnavailable(await write(client, late)), true)
    equal(await client.resolve(late.attempt, asking), { ok: true, state: 'void' })
  })

  test('an attempt that was applied is known, and one that was resolved as void is never applied', async (_rig, client) => {
    const applied = sending()
    await write(client, applied)
    equal(await client.resolve(applied.attempt, asking), { ok: true, state: 'applied' })
    const never = sending()
    equal(await client.resolve(never.attempt, asking), { ok: true, state: 'void' })
    equal(isUnavailable(await write(client, never)), true)
    equal(await client.resolve(never.attempt, asking), { ok: true, state: 'void' })
  })

  test('a client that is closed answers nothing', async (_rig, client) => {
    await client.close()
    equal(isUnavailable(await write(client, sending())), true)
    equal(await client.ready(asking), false)
  })
}
