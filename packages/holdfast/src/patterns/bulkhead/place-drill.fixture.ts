import { bulkhead, pipeline, timeout, type Bulkhead, type Permit, type Policy } from 'holdfast'
import { fakeClock, type FakeClock } from 'holdfast/testing'
import { deferred } from './bulkhead.fixture.ts'

const maxQueued = 4
const maxWaitMs = 40
const timeoutMs = 25

interface Caller {
  readonly way: 'execute' | 'acquire'
  readonly controller: AbortController
  /** When it gives up waiting by itself. */
  readonly waitsUntil: number
  cameAtOnce: boolean
  state: 'asking' | 'waiting' | 'inside' | 'gone'
  /** Ends the work, or gives the permit back. */
  leave: () => void
}

/** Callers of one bulkhead in a random order of events, and what must hold after each of them. */
export class PlaceDrill {
  readonly clock: FakeClock = fakeClock()
  readonly door: Bulkhead
  private readonly policies: readonly { readonly policy: Policy; readonly waitsMs: number }[]
  private readonly callers: Caller[] = []
  private limit: number
  private running = 0
  private disposed = false
  /** What did not hold inside a call, where throwing would only fail the call. */
  private readonly faults: string[] = []

  constructor(limit: number) {
    this.limit = limit
    this.door = bulkhead({ maxConcurrent: limit, maxQueued, maxWait: maxWaitMs, clock: this.clock })
    const limited = timeout({ after: timeoutMs, clock: this.clock })
    this.policies = [
      { policy: this.door, waitsMs: maxWaitMs },
      { policy: pipeline(limited, this.door), waitsMs: timeoutMs },
      { policy: pipeline(this.door, limited), waitsMs: maxWaitMs },
    ]
  }

  /** Asks for a place through the door alone, under a timeout, or around one. */
  execute(which: number, withSignal: boolean): void {
    const { policy, waitsMs } = this.policies[which % this.policies.length]!
    const caller = this.newCaller('execute', waitsMs)
    const { promise, resolve } = deferred<void>()
    caller.leave = resolve
    const run = (): Promise<void> => {
      this.enter(caller)
      return promise.then(() => this.left(caller))
    }
    this.ask(caller, policy.execute(run, withSignal ? { signal: caller.controller.signal } : undefined))
  }

  acquire(): void {
    const caller = this.newCaller('acquire', maxWaitMs)
    const entered = this.door.acquire({ signal: caller.controller.signal }).then((permit) => {
      this.enter(caller)
      caller.leave = () => this.giveBack(caller, permit)
    })
    if (this.door.status().running > this.running) this.comeAtOnce(caller)
    this.ask(caller, entered)
  }

  tryAcquire(): void {
    const before = this.door.status()
    const permit = this.door.tryAcquire()
    const isFree = before.running < before.maxConcurrent && !this.disposed
    must(permit.refused === !isFree, 'tryAcquire does not answer as the places are')
    if (permit.refused) return
    const caller = this.newCaller('acquire', Infinity)
    caller.state = 'inside'
    caller.leave = () => this.giveBack(caller, permit)
  }

  end(index: number): void {
    const inside = this.inside()
    inside[index % inside.length]?.leave()
  }

  abort(index: number): void {
    this.callers[index % this.callers.length]?.controller.abort(new Error('gave up'))
  }

  resize(limit: number): void {
    this.limit = limit
    this.door.resize(limit)
  }

  dispose(): void {
    this.disposed = true
    this.door.dispose()
  }

  /** What holds at every moment. */
  check(): void {
    const { running, queued } = this.door.status()
    must(running <= Math.max(this.limit, this.running), 'places in use grew beyond the limit')
    must(running >= this.inside().length, 'work runs that holds no place')
    must(queued >= 0 && queued <= maxQueued, 'the queue is longer than allowed')
    must(queued === 0 || running >= this.limit, 'a place is free while somebody waits')
    must(this.faults.length === 0, this.faults.join(', '))
    this.running = running
  }

  /** All leave; then every place must be free again, and nobody may be left behind. */
  async finish(): Promise<void> {
    for (let round = 0; round < 3 * maxQueued && !this.allGone(); round++) {
      await this.clock.settle()
      this.check()
      must(this.running === this.inside().length, 'a place is held by nobody')
      for (const caller of this.inside()) caller.leave()
    }
    await this.clock.settle()
    this.check()
    must(this.allGone(), 'somebody was left waiting')
    must(this.running === 0, 'a place was lost')
    must(!this.clock.timers.some(({ ref }) => ref), 'a timer was left behind')
    if (this.disposed) return
    for (let place = 0; place < this.limit; place++) must(!this.door.tryAcquire().refused, 'a place cannot be acquired again')
    must(this.door.tryAcquire().refused, 'there is a place too many')
  }

  private newCaller(way: Caller['way'], waitsMs: number): Caller {
    const caller: Caller = {
      way,
      controller: new AbortController(),
      waitsUntil: this.clock.now() + waitsMs,
      cameAtOnce: false,
      state: 'asking',
      leave: () => undefined,
    }
    this.callers.push(caller)
    return caller
  }

  /** Hears of those who are turned away or give up. */
  private ask(caller: Caller, answer: Promise<unknown>): void {
    if (caller.state === 'asking') caller.state = 'waiting'
    const gone = (): void => {
      if (caller.state === 'waiting') caller.state = 'gone'
    }
    answer.then(gone, gone)
  }

  private enter(caller: Caller): void {
    if (caller.state === 'asking') this.comeAtOnce(caller)
    else if (!caller.cameAtOnce && this.overtook(caller)) this.faults.push('somebody was overtaken in the queue')
    caller.state = 'inside'
  }

  private comeAtOnce(caller: Caller): void {
    caller.cameAtOnce = true
    if (this.door.status().queued > 0) this.faults.push('somebody was overtaken on arrival')
  }

  /** An acquired permit is heard of some microtasks after it was granted, the beginning of a function at once. */
  private overtook(caller: Caller): boolean {
    const earlier = this.callers.slice(0, this.callers.indexOf(caller))
    return earlier.some((other) => this.stillWaits(other) && (caller.way === 'acquire' || other.way === 'execute'))
  }

  private stillWaits({ state, controller, waitsUntil }: Caller): boolean {
    return state === 'waiting' && !controller.signal.aborted && this.clock.now() < waitsUntil && !this.disposed
  }

  private left(caller: Caller): void {
    caller.state = 'gone'
  }

  /** Twice, as careless callers do. */
  private giveBack(caller: Caller, permit: Permit): void {
    this.left(caller)
    permit.success()
    permit.ignore()
  }

  private inside(): readonly Caller[] {
    return this.callers.filter(({ state }) => state === 'inside')
  }

  private allGone(): boolean {
    return this.callers.every(({ state }) => state === 'gone')
  }
}

/** As `expect`, which would take most of the time of so many steps. */
function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise)
}
