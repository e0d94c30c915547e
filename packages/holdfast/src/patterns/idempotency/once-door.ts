import type { Clock } from '../../core/clock.ts'
import { deadlineHeap } from '../../core/deadline-heap.ts'
import { isHoldfastError } from '../../core/errors.ts'
import type { Ambiguous, Fenced, Unavailable, WriteOptions } from '../../core/ports/answers.ts'
import type { BeginAnswer, Held, OnceClaim, OnceKey, OncePort, OnceRecord } from '../../core/ports/once-port.ts'

/** How often a request is sent while nobody knows whether it was applied. */
const sends = 3
/** Pauses between attempts to store an outcome that nobody but us knows. */
const storePausesMs = [50, 200, 800] as const

type Written = { readonly ok: true } | Fenced | Unavailable | Ambiguous

/** A store as the pattern uses it: what is ambiguous is sent again under the same name, and a store that throws is ambiguous, too. */
export class OnceDoor {
  readonly store: OncePort
  readonly clock: Clock
  /** Why the store could not be used the last time; undefined when it could. */
  trouble: string | undefined = undefined

  constructor(store: OncePort, clock: Clock) {
    this.store = store
    this.clock = clock
  }

  /** Claims the key. What stays ambiguous is made void, if the store answers; else the claim ends with its lease. */
  async begin(claim: OnceClaim, deadlineMs: number): Promise<BeginAnswer | Unavailable> {
    const options = this.options(deadlineMs)
    const answer = await this.send(() => this.store.begin(claim, options), options.attempt)
    if (answer.ok || answer.why === 'unavailable') return answer
    await this.send(() => this.store.resolve(options.attempt, { deadlineMs }), options.attempt)
    return { ok: false, why: 'unavailable' }
  }

  renew(held: Held, leaseMs: number, deadlineMs: number): Promise<Written> {
    const options = this.options(deadlineMs)
    return this.send(() => this.store.renew(held, leaseMs, options), options.attempt)
  }

  checkpoint(held: Held, step: string, data: Uint8Array, deadlineMs: number): Promise<Written> {
    const options = this.options(deadlineMs)
    return this.send(() => this.store.checkpoint(held, { step, data }, options), options.attempt)
  }

  /** Stores an outcome; with all patience, since it cannot be had again. */
  async commit(held: Held, result: Uint8Array, keepMs: number, deadlineMs: number): Promise<Written> {
    const options = this.options(deadlineMs)
    const commit = (): Promise<Written> => this.send(() => this.store.commit(held, result, keepMs, options), options.attempt)
    let answer = await commit()
    for (const pauseMs of storePausesMs) {
      if (answer.ok || answer.why === 'fenced') return answer
      await pause(this.clock, pauseMs)
      answer = await commit()
    }
    return answer
  }

  fail(held: Held, how: 'forget' | 'unknown', deadlineMs: number): Promise<Written> {
    const options = this.options(deadlineMs)
    return this.send(() => this.store.fail(held, how, options), options.attempt)
  }

  async get(key: OnceKey, deadlineMs: number): Promise<{ readonly ok: true; readonly record: OnceRecord | undefined } | Unavailable> {
    const answer = await this.send(() => this.store.get(key, { deadlineMs }), '')
    return answer.ok ? answer : { ok: false, why: 'unavailable' }
  }

  private options(deadlineMs: number): WriteOptions {
    return { deadlineMs, attempt: crypto.randomUUID() }
  }

  private async send<Answer extends { readonly ok: boolean; readonly why?: string }>(
    verb: () => Promise<Answer | Ambiguous>,
    attempt: string,
  ): Promise<Answer | Ambiguous> {
    let answer: Answer | Ambiguous = { ok: false, why: 'ambiguous', attempt }
    for (let sent = 0; sent < sends; sent++) {
      try {
        answer = await verb()
      } catch (error) {
        if (isHoldfastError(error, 'ERR_INVALID_ARGUMENT')) throw error
        this.trouble = `the store failed: ${error instanceof Error ? error.message : String(error)}`
        continue
      }
      if (answer.ok || answer.why !== 'ambiguous') break
    }
    if (answer.ok || answer.why === 'fenced') this.trouble = undefined
    else if (answer.why === 'unavailable') this.trouble = 'the store is unavailable'
    else this.trouble ??= 'the store did not answer in time'
    return answer
  }
}

/** Settles after a while of the clock. */
export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    deadlineHeap(clock).add({ dueAt: clock.now() + ms, place: -1, expire: resolve })
  })
}
