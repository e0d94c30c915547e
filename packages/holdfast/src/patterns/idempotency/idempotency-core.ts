import type { CallState } from '../../core/call.ts'
import type { Clock } from '../../core/clock.ts'
import { EventHub } from '../../core/events.ts'
import type { Layer } from '../../core/layer.ts'
import type { OncePort } from '../../core/ports/once-port.ts'
import type { Random } from '../../core/random.ts'
import type { IdempotencyEvent } from './events.ts'
import { GuardedRun } from './guarded-run.ts'
import { OnceDoor } from './once-door.ts'
import type { CallReader, Request } from './request.ts'
import type { ResultCodec } from './stored-outcome.ts'

interface Running {
  readonly run: GuardedRun
  /** Settles when it has ended, and its key is free here. */
  readonly finished: Promise<void>
}

/** What a manager and its policies share. */
export class IdempotencyCore {
  readonly name: string
  readonly clock: Clock
  readonly random: Random
  readonly codec: ResultCodec
  readonly door: OnceDoor
  readonly events = new EventHub<IdempotencyEvent>()
  isDisposed = false
  private readonly running = new Map<string, Running>()

  constructor(name: string, clock: Clock, random: Random, codec: ResultCodec, store: OncePort) {
    this.name = name
    this.clock = clock
    this.random = random
    this.codec = codec
    this.door = new OnceDoor(store, clock)
  }

  /** Operations under way in this process. */
  get size(): number {
    return this.running.size
  }

  find(id: string): Running | undefined {
    return this.running.get(id)
  }

  start(reader: CallReader, request: Request, next: Layer, call: CallState): Running {
    const run = new GuardedRun(this, reader, request, next, call)
    let finish: () => void = () => undefined
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    const entry = { run, finished }
    this.running.set(request.id, entry)
    void run.perform().then((conclusion) => {
      this.running.delete(request.id)
      finish()
      run.conclude(conclusion)
    })
    return entry
  }

  tell(
    type: IdempotencyEvent['type'],
    { operation, tenant, key }: Pick<Request, 'operation' | 'tenant' | 'key'>,
    more?: Readonly<Record<string, unknown>>,
  ): void {
    if (!this.events.active) return
    const event = { type, policy: this.name, at: this.clock.wallNow(), operation, tenant, key, ...more }
    this.events.emit(event as IdempotencyEvent)
  }
}
