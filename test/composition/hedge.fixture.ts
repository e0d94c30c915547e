import {
  childCall,
  policy,
  type Call,
  type ChildCall,
  type Clock,
  type Flow,
  type Layer,
  type Policy,
  type Sink,
  type Timer,
} from 'holdfast'

/**
 * Asks a second time when the first has not answered after a while; the first success wins, and the other is cancelled. Written
 * with the public protocol only, as a user would.
 */
export function hedge(delayMs: number, clock: Clock): Policy {
  const parts: Flow = { kind: 'flow', start: (next, call, out) => new Race(next, call, out, clock).begin(delayMs) }
  return policy({ name: 'hedge', parts, clock })
}

class Race {
  private readonly next: Layer
  private readonly call: Call
  private readonly out: Sink
  private readonly clock: Clock
  private readonly running = new Set<ChildCall>()
  private timer: Timer | undefined = undefined
  private won = false

  constructor(next: Layer, call: Call, out: Sink, clock: Clock) {
    this.next = next
    this.call = call
    this.out = out
    this.clock = clock
  }

  begin(delayMs: number): void {
    this.timer = this.clock.setTimer(() => this.enter(2), delayMs)
    this.call.onCancel(this)
    this.enter(1)
  }

  /** The caller has left: the runners hear of it by themselves. */
  cancel(): void {
    this.timer?.cancel()
  }

  private enter(attempt: number): void {
    const runner = childCall(this.call, { attempt })
    this.running.add(runner)
    this.next.start(runner, { settle: (ok, value) => this.arrive(runner, ok, value) })
  }

  private arrive(runner: ChildCall, ok: boolean, value: unknown): void {
    this.running.delete(runner)
    runner.close()
    if (this.won || (!ok && this.running.size > 0)) return
    this.won = true
    this.timer?.cancel()
    this.call.offCancel(this)
    for (const loser of this.running) loser.cancel(new DOMException('another attempt was faster', 'AbortError'))
    this.out.settle(ok, value)
  }
}
