import { systemClock, type Clock } from '../clock.ts'
import { checkOptionNames, integerOption, invalidOption } from '../options.ts'
import { fenced, noAnswer, type Fenced, type ReadOptions, type Unavailable, type WriteOptions } from './answers.ts'
import { ExpiryQueue, type Expiring } from './expiry-queue.ts'
import { AttemptLog, checkedNumber, checkedText, invalidArgument, MemoryPort } from './memory-port.ts'
import type { BeginAnswer, Checkpoint, Held, OnceClaim, OnceKey, OncePort, OnceRecord } from './once-port.ts'

export interface MemoryOnceOptions {
  /** Records kept at a time, 1 or more. With so many, new keys are unavailable: none is forgotten early. @defaultValue 100_000 */
  readonly maxRecords?: number
  /**
   * Bytes of keys, results and checkpoints, about; beyond them new keys are unavailable. A claim that was let in may always be
   * committed. @defaultValue 67_108_864 (64 MiB)
   */
  readonly maxBytes?: number
  readonly clock?: Clock
}

export interface MemoryOnce extends OncePort<never> {
  /** Records kept, the expired ones included until a later call sweeps them out. */
  readonly size: number
  readonly bytes: number
}

/** Records swept out by one call at most: many that expire together delay nobody for long. */
const sweptPerCall = 64

/**
 * {@link OncePort} in the memory of this process: atomic, bounded, without timers. It forgets with the process, so it makes an
 * effect happen once only as long as the process lives, and only in this one.
 * @throws HoldfastError `ERR_INVALID_OPTION`.
 */
export function memoryOnce(options: MemoryOnceOptions = {}): MemoryOnce {
  checkOptionNames('memoryOnce', options, ['maxRecords', 'maxBytes', 'clock'])
  return new OnceMemory(
    integerOption('memoryOnce', 'maxRecords', options.maxRecords ?? 100_000, { min: 1 }),
    integerOption('memoryOnce', 'maxBytes', options.maxBytes ?? 2 ** 26, { min: 1 }),
    checkedClock(options.clock),
  )
}

function checkedClock(clock: Clock = systemClock): Clock {
  if (typeof clock.now === 'function') return clock
  throw invalidOption('memoryOnce', 'clock', clock, 'a Clock')
}

class OnceEntry implements Expiring {
  expiresAt = 0
  place = -1
  readonly id: string
  readonly fingerprint: string
  readonly startedAt: number
  fence: bigint
  leaseUntil: number
  keepMs: number
  doneAt = 0
  result: Uint8Array | undefined = undefined
  checkpoints: Map<string, Uint8Array> | undefined = undefined

  constructor(id: string, claim: OnceClaim, fence: bigint, now: number, startedAt: number) {
    this.id = id
    this.fingerprint = claim.fingerprint
    this.startedAt = startedAt
    this.fence = fence
    this.keepMs = claim.keepMs
    this.leaseUntil = now + claim.leaseMs
    this.expiresAt = this.leaseUntil + claim.keepMs
  }

  get bytes(): number {
    let sum = 2 * (this.id.length + this.fingerprint.length) + (this.result?.byteLength ?? 0)
    for (const [step, data] of this.checkpoints ?? []) sum += 2 * step.length + data.byteLength
    return sum
  }

  steps(): readonly Checkpoint[] {
    return [...(this.checkpoints ?? [])].map(([step, data]) => ({ step, data: data.slice() }))
  }
}

type Applied = { readonly answer: { readonly ok: true } | Fenced; readonly changed: boolean }

class OnceMemory extends MemoryPort implements MemoryOnce {
  bytes = 0
  private readonly maxRecords: number
  private readonly maxBytes: number
  private readonly clock: Clock
  private readonly entries = new Map<string, OnceEntry>()
  private readonly expiry = new ExpiryQueue<OnceEntry>()
  private lastFence = 0n

  constructor(maxRecords: number, maxBytes: number, clock: Clock) {
    super(new AttemptLog())
    this.maxRecords = maxRecords
    this.maxBytes = maxBytes
    this.clock = clock
  }

  get size(): number {
    return this.entries.size
  }

  async begin(claim: OnceClaim, options: WriteOptions): Promise<BeginAnswer | Unavailable> {
    checkedNumber('leaseMs', claim.leaseMs, 1)
    checkedNumber('keepMs', claim.keepMs, 0)
    return this.write(options, () => this.claim(claim))
  }

  async renew(held: Held, leaseMs: number, options: WriteOptions): Promise<Applied['answer'] | Unavailable> {
    checkedNumber('leaseMs', leaseMs, 1)
    return this.write(options, () =>
      this.asHolder(held, (entry) => {
        entry.leaseUntil = this.clock.now() + leaseMs
        this.expiry.move(entry, entry.leaseUntil + entry.keepMs)
      }),
    )
  }

  async checkpoint(
    held: Held,
    { step, data }: Checkpoint,
    options: WriteOptions & { readonly tx?: never },
  ): Promise<Applied['answer'] | Unavailable> {
    checkedText('step', step, 1, 1_000)
    refuseTransaction(options.tx)
    const copy = data.slice()
    return this.write(options, () =>
      this.asHolder(held, (entry) => {
        ;(entry.checkpoints ??= new Map()).set(step, copy)
      }),
    )
  }

  async commit(
    held: Held,
    result: Uint8Array,
    keepMs: number,
    options: WriteOptions & { readonly tx?: never },
  ): Promise<Applied['answer'] | Unavailable> {
    checkedNumber('keepMs', keepMs, 0)
    refuseTransaction(options.tx)
    const copy = result.slice()
    return this.write(options, () =>
      this.asHolder(held, (entry) => {
        entry.result = copy
        entry.checkpoints = undefined
        entry.doneAt = this.clock.wallNow()
        this.expiry.move(entry, this.clock.now() + keepMs)
      }),
    )
  }

  async fail(held: Held, how: 'forget' | 'unknown', options: WriteOptions): Promise<Applied['answer'] | Unavailable> {
    return this.write(options, () =>
      this.asHolder(held, (entry) => {
        if (how === 'forget') {
          this.drop(entry)
          this.expiry.remove(entry)
          return
        }
        entry.leaseUntil = Math.min(entry.leaseUntil, this.clock.now())
        entry.fence = ++this.lastFence
      }),
    )
  }

  async get(key: OnceKey, options: ReadOptions): Promise<{ readonly ok: true; readonly record: OnceRecord | undefined } | Unavailable> {
    return this.read(options, () => {
      const entry = this.live(idOf(key))
      return { ok: true, record: entry === undefined ? undefined : this.recordOf(entry) }
    })
  }

  private claim(claim: OnceClaim): { readonly answer: BeginAnswer | Unavailable; readonly changed: boolean } {
    const id = idOf(claim)
    const now = this.clock.now()
    this.sweep(now)
    const entry = this.live(id)
    if (entry === undefined) return this.enter(id, claim, now)
    const unchanged = (answer: BeginAnswer): { answer: BeginAnswer; changed: false } => ({ answer, changed: false })
    if (entry.fingerprint !== claim.fingerprint) return unchanged({ ok: true, state: 'mismatch' })
    if (entry.result !== undefined) return unchanged({ ok: true, state: 'done', result: entry.result.slice() })
    if (entry.leaseUntil > now) return unchanged({ ok: true, state: 'busy', retryAfterMs: Math.ceil(entry.leaseUntil - now) })
    const { startedAt } = entry
    if (!claim.takeOver) return unchanged({ ok: true, state: 'unknown', startedAt })
    const fence = ++this.lastFence
    entry.fence = fence
    entry.keepMs = claim.keepMs
    entry.leaseUntil = now + claim.leaseMs
    this.expiry.move(entry, entry.leaseUntil + entry.keepMs)
    return {
      answer: { ok: true, state: 'takeover', fence, leaseMs: claim.leaseMs, startedAt, checkpoints: entry.steps() },
      changed: true,
    }
  }

  private enter(id: string, claim: OnceClaim, now: number): { readonly answer: BeginAnswer | Unavailable; readonly changed: boolean } {
    if (this.entries.size >= this.maxRecords || this.bytes >= this.maxBytes) return { answer: noAnswer, changed: false }
    const entry = new OnceEntry(id, claim, ++this.lastFence, now, this.clock.wallNow())
    this.entries.set(id, entry)
    this.expiry.add(entry)
    this.bytes += entry.bytes
    return { answer: { ok: true, state: 'fresh', fence: entry.fence, leaseMs: claim.leaseMs }, changed: true }
  }

  /** Lets the holder of the current fence change its record. */
  private asHolder(held: Held, change: (entry: OnceEntry) => void): Applied {
    const entry = this.live(idOf(held))
    if (entry === undefined || entry.fence !== held.fence || entry.result !== undefined) return { answer: fenced, changed: false }
    const before = entry.bytes
    change(entry)
    if (entry.place >= 0) this.bytes += entry.bytes - before
    return { answer: { ok: true }, changed: true }
  }

  private live(id: string): OnceEntry | undefined {
    const entry = this.entries.get(id)
    if (entry === undefined || entry.expiresAt > this.clock.now()) return entry
    this.drop(entry)
    this.expiry.remove(entry)
    return undefined
  }

  private sweep(now: number): void {
    for (let count = 0; count < sweptPerCall; count++) {
      const entry = this.expiry.shift(now)
      if (entry === undefined) return
      this.drop(entry)
    }
  }

  private drop(entry: OnceEntry): void {
    this.entries.delete(entry.id)
    this.bytes -= entry.bytes
  }

  private recordOf(entry: OnceEntry): OnceRecord {
    const { fingerprint, fence, startedAt, doneAt, result } = entry
    const now = this.clock.now()
    if (result === undefined)
      return { state: 'started', fingerprint, fence, startedAt, leaseMs: Math.max(0, entry.leaseUntil - now), checkpoints: entry.steps() }
    return { state: 'done', fingerprint, fence, startedAt, doneAt, keptMs: entry.expiresAt - now, result: result.slice() }
  }
}

function idOf({ scope, key }: OnceKey): string {
  checkedText('scope', scope, 0, 1_000)
  checkedText('key', key, 1, 1_000)
  return `${scope.length}:${scope}${key}`
}

function refuseTransaction(tx: unknown): void {
  if (tx !== undefined) throw invalidArgument('tx', tx, 'absent: this engine has no transactions (see its profile)')
}
