import type { OncePort } from '../../core/ports/once-port.ts'

/** What becomes of one request to the store. */
export type Fault = 'none' | 'lost-request' | 'lost-answer' | 'unavailable' | 'throws'

export interface FaultyOnce {
  readonly store: OncePort
  /** Faults of the requests to come, in order; none beyond them. */
  readonly faults: Fault[]
  /** Verbs that were asked for, in order. */
  readonly asked: string[]
}

/** A store behind a network that fails on demand. */
export function faultyOnce(inner: OncePort, profile = inner.profile): FaultyOnce {
  const faults: Fault[] = []
  const asked: string[] = []
  const verb = (name: keyof OncePort): unknown => {
    const run = (inner[name] as (...args: unknown[]) => Promise<unknown>).bind(inner)
    return async (...args: unknown[]) => {
      asked.push(name)
      const { attempt = '' } = args.at(-1) as { attempt?: string }
      const fault = faults.shift() ?? 'none'
      if (fault === 'unavailable') return { ok: false, why: 'unavailable' }
      if (fault === 'throws') throw new Error('connection reset')
      if (fault === 'lost-request') return { ok: false, why: 'ambiguous', attempt }
      const answer = await run(...args)
      return fault === 'lost-answer' ? { ok: false, why: 'ambiguous', attempt } : answer
    }
  }
  const names = ['begin', 'renew', 'checkpoint', 'commit', 'fail', 'get', 'resolve', 'ready', 'close'] as const
  const verbs = Object.fromEntries(names.map((name) => [name, verb(name)]))
  return { store: { profile, ...verbs } as unknown as OncePort, faults, asked }
}
