import { errorWithoutStack } from '../../core/errors.ts'
import type { Checkpoint } from '../../core/ports/once-port.ts'
import { checkedText } from '../../core/ports/memory-port.ts'
import type { Claim } from './claim.ts'
import type { ResultCodec } from './stored-outcome.ts'

/** The steps of one run, written down so that a later run of the same key can go on where this one was interrupted. */
export class RunSteps {
  private readonly policy: string
  private readonly codec: ResultCodec
  private readonly claim: Claim | undefined
  private readonly written = new Map<string, unknown>()

  constructor(policy: string, codec: ResultCodec, claim: Claim | undefined, checkpoints: readonly Checkpoint[]) {
    this.policy = policy
    this.codec = codec
    this.claim = claim
    for (const { step, data } of checkpoints) this.written.set(step, codec.decode(data))
  }

  get all(): ReadonlyMap<string, unknown> {
    return this.written
  }

  async write(step: string, value: unknown): Promise<void> {
    checkedText('step', step, 1, 1_000)
    const data = this.codec.encode(value)
    const done = this.claim === undefined ? true : await this.claim.checkpoint(step, data)
    if (done !== true)
      throw errorWithoutStack({ code: done === false ? 'ERR_IDEMPOTENCY_LEASE_LOST' : 'ERR_STORE_UNAVAILABLE', policy: this.policy })
    this.written.set(step, value)
  }
}
