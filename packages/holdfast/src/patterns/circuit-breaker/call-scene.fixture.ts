import assert from 'node:assert/strict'
import fc from 'fast-check'
import { circuitBreaker, pipeline, policy, refusal, type CircuitBreaker, type Gate, type Policy } from 'holdfast'
import { fakeClock, type FakeClock } from 'holdfast/testing'
import { begin, type RunningCall } from './circuit-breaker.fixture.ts'
import { ReferenceCircuit, type ReferenceSettings } from './reference-circuit.fixture.ts'

export const callSettings: fc.Arbitrary<ReferenceSettings> = fc.record({
  failureThreshold: fc.constantFrom(1, 2),
  windowMs: fc.constant(10_000),
  openForMs: fc.constantFrom(1, 20),
  factor: fc.constant(1),
  maxOpenForMs: fc.constant(Infinity),
  probes: fc.integer({ min: 1, max: 3 }),
  successThreshold: fc.integer({ min: 1, max: 3 }),
  failureRatio: fc.option(fc.constantFrom(0.4, 1), { nil: undefined }),
  probeTimeoutMs: fc.constantFrom(10, 1_000),
})

type Step =
  | { readonly do: 'begin'; readonly deadlineMs: number | undefined; readonly isRefusedInside: boolean }
  | { readonly do: 'answer'; readonly which: number; readonly how: 'success' | 'failure' | 'ignored' | 'abort' }
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'close' | 'isolate' }

const deadline = fc.option(fc.constantFrom(1, 7, 20), { nil: undefined })
const how = fc.constantFrom('success' as const, 'success' as const, 'failure' as const, 'ignored' as const, 'abort' as const)
export const callStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('begin' as const), deadlineMs: deadline, isRefusedInside: fc.constantFrom(false, false, true) }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('answer' as const), which: fc.nat(7), how }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(0, 1, 6, 10, 20, 1_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('close' as const, 'close' as const, 'isolate' as const) }) },
)

interface Call {
  readonly running: RunningCall
  readonly caller: AbortController
  readonly ticket: NonNullable<ReturnType<ReferenceCircuit['admit']>>
  readonly deadlineAt: number
}

/** Calls through `execute`, with a gate further inside that refuses some of them, beside the plain reference. */
export class CallScene {
  readonly clock: FakeClock = fakeClock()
  readonly breaker: CircuitBreaker
  private readonly reference: ReferenceCircuit
  private readonly guarded: Policy
  private readonly most: number
  private calls: Call[] = []
  private refusesInside = false
  /** Probes let in and not given back unused, by half-open stay. */
  private readonly granted = new Map<number, number>()

  constructor(given: ReferenceSettings) {
    const { failureRatio, successThreshold, probes } = given
    this.reference = new ReferenceCircuit(given)
    this.most = failureRatio === undefined ? Math.max(probes, successThreshold) : probes
    this.breaker = circuitBreaker({
      failureThreshold: given.failureThreshold,
      failureWindow: given.windowMs,
      openFor: given.openForMs,
      halfOpenProbes: probes,
      probeTimeout: given.probeTimeoutMs,
      ignore: ['ignored'],
      clock: this.clock,
      ...(failureRatio === undefined ? { successThreshold } : { halfOpenFailureRatio: failureRatio }),
    })
    const inside: Gate<string> = {
      kind: 'gate',
      admit: () => (this.refusesInside ? refusal('ERR_RATE_LIMITED', 'inside') : 'in'),
      settle: () => undefined,
    }
    this.guarded = pipeline(this.breaker, policy({ name: 'inside', parts: inside }))
  }

  async take(each: Step): Promise<void> {
    if (each.do === 'begin') await this.begin(each.deadlineMs, each.isRefusedInside)
    else if (each.do === 'answer') await this.answer(each.which, each.how)
    else if (each.do === 'advance') await this.advance(each.ms)
    else {
      this.breaker[each.do]()
      this.reference.hand(each.do, this.clock.now())
    }
  }

  compare(): void {
    const { clock, breaker, reference } = this
    const status = breaker.status()
    const wanted = reference.figuresAt(clock.now(), clock.wallNow())
    assert.deepEqual(Object.fromEntries(Object.keys(wanted).map((figure) => [figure, status[figure]])), wanted)
    for (const count of this.granted.values()) assert.ok(count <= this.most, `${count} probes in one half-open state`)
  }

  private async begin(deadlineMs: number | undefined, isRefusedInside: boolean): Promise<void> {
    const caller = new AbortController()
    const now = this.clock.now()
    this.refusesInside = isRefusedInside
    const running = begin(this.guarded, { signal: caller.signal, deadline: deadlineMs })
    const deadlineAt = deadlineMs === undefined ? Infinity : now + deadlineMs
    const ticket = this.reference.admit(now, deadlineAt)
    assert.equal(running.ran, ticket !== undefined && !isRefusedInside)
    if (ticket === undefined || isRefusedInside) {
      if (ticket !== undefined) this.reference.settle(ticket, 'ignored', now)
      const outcome = await running.outcome
      assert.equal(outcome.refusal?.policy, ticket === undefined ? this.breaker.name : 'inside')
      return
    }
    this.calls.push({ running, caller, ticket, deadlineAt })
    if (this.reference.state === 'half-open') this.count(ticket.stay, 1)
  }

  private async answer(which: number, way: 'success' | 'failure' | 'ignored' | 'abort'): Promise<void> {
    const [call] = this.calls.splice(which % Math.max(1, this.calls.length), 1)
    if (call === undefined) return
    if (way === 'abort') call.caller.abort(new Error('left'))
    else if (way === 'success') await call.running.succeed()
    else await call.running.fail(way === 'ignored' ? { code: 'ignored' } : new Error('down'))
    if (!call.ticket.over && (way === 'abort' || way === 'ignored')) this.count(call.ticket.stay, -1)
    this.reference.settle(call.ticket, way === 'abort' ? 'ignored' : way, this.clock.now())
    if (way === 'abort') {
      await call.running.outcome
      await call.running.fail() // what an abandoned call brings later reaches nobody
    }
  }

  private async advance(ms: number): Promise<void> {
    const end = this.clock.now() + ms
    await this.clock.advance(ms)
    const timedOut = this.calls.filter(({ deadlineAt }) => deadlineAt <= end)
    this.calls = this.calls.filter(({ deadlineAt }) => deadlineAt > end)
    for (const { ticket, deadlineAt } of timedOut.toSorted((a, b) => a.deadlineAt - b.deadlineAt))
      this.reference.settle(ticket, 'failure', deadlineAt)
  }

  private count(stay: number, by: number): void {
    const count = this.granted.get(stay)
    if (count !== undefined || by > 0) this.granted.set(stay, (count ?? 0) + by)
  }
}
