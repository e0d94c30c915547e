import { deadlineHeap, type HeapNode } from '../../core/deadline-heap.ts'
import type { Held } from '../../core/ports/once-port.ts'
import type { OnceDoor } from './once-door.ts'

/** What is told when somebody else has taken the claim over. */
export interface ClaimOwner {
  claimLost(): void
}

/** A claim that is held: renewed at a third of its lease, by the one timer of the clock, until it is given up or lost. */
export class Claim implements HeapNode {
  readonly held: Held
  readonly leaseMs: number
  dueAt = 0
  place = -1
  lost = false
  private readonly door: OnceDoor
  private readonly owner: ClaimOwner
  private readonly timeoutMs: number
  private over = false

  constructor(door: OnceDoor, held: Held, leaseMs: number, timeoutMs: number, owner: ClaimOwner) {
    this.door = door
    this.held = held
    this.leaseMs = leaseMs
    this.timeoutMs = timeoutMs
    this.owner = owner
    this.arm(leaseMs / 3)
  }

  /** Nobody renews it any more. */
  rest(): void {
    this.over = true
    deadlineHeap(this.door.clock).remove(this)
  }

  expire(): void {
    void this.renew()
  }

  /** Writes a step down; false when the claim is no longer ours. */
  async checkpoint(step: string, data: Uint8Array): Promise<boolean | undefined> {
    const answer = await this.door.checkpoint(this.held, step, data, this.timeoutMs)
    if (answer.ok) return true
    if (answer.why !== 'fenced') return undefined
    this.lose()
    return false
  }

  /** `fenced`: another has taken it over. `failed`: nobody knows whether it was stored. */
  async commit(result: Uint8Array, keepMs: number): Promise<'stored' | 'fenced' | 'failed'> {
    const answer = await this.door.commit(this.held, result, keepMs, this.timeoutMs)
    this.rest()
    if (answer.ok) return 'stored'
    return answer.why === 'fenced' ? 'fenced' : 'failed'
  }

  async fail(how: 'forget' | 'unknown'): Promise<void> {
    this.rest()
    await this.door.fail(this.held, how, this.timeoutMs)
  }

  private async renew(): Promise<void> {
    const answer = await this.door.renew(this.held, this.leaseMs, this.timeoutMs)
    if (this.over) return
    if (answer.ok) this.arm(this.leaseMs / 3)
    else if (answer.why === 'fenced') this.lose()
    else this.arm(this.leaseMs / 6) // the fence decides, not our clock: as long as nobody took it over it can be renewed
  }

  private lose(): void {
    if (this.lost) return
    this.lost = true
    this.rest()
    this.owner.claimLost()
  }

  private arm(afterMs: number): void {
    this.dueAt = this.door.clock.now() + afterMs
    deadlineHeap(this.door.clock).add(this)
  }
}
