import assert from 'node:assert/strict'
import fc from 'fast-check'
import { circuitBreaker, type CircuitBreaker, type Permit } from 'holdfast'
import { fakeClock, type FakeClock } from 'holdfast/testing'
import { ReferenceCircuit, type ReferenceSettings, type ReferenceVerdict } from './reference-circuit.fixture.ts'

export const permitSettings: fc.Arbitrary<ReferenceSettings> = fc.record({
  failureThreshold: fc.integer({ min: 1, max: 4 }),
  windowMs: fc.constantFrom(50, 1_000),
  openForMs: fc.constantFrom(1, 20, 100),
  factor: fc.constantFrom(1, 2),
  maxOpenForMs: fc.constantFrom(150, 100_000),
  probes: fc.integer({ min: 1, max: 4 }),
  successThreshold: fc.integer({ min: 1, max: 4 }),
  failureRatio: fc.option(fc.constantFrom(0.01, 0.3, 0.5, 1), { nil: undefined }),
  probeTimeoutMs: fc.constantFrom(5, 40, 1_000),
})

const verdict = fc.constantFrom<ReferenceVerdict>('success', 'failure', 'failure', 'ignored')

type Step =
  | { readonly do: 'admit'; readonly deadlineMs: number | undefined }
  | { readonly do: 'settle'; readonly which: number; readonly verdict: ReferenceVerdict }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'hand'; readonly action: 'close' | 'isolate' | 'disable' }
  | { readonly do: 'force open'; readonly ms: number | undefined }
  | { readonly do: 'attempt reset'; readonly ok: boolean }
  | { readonly do: 'look' }

export const permitStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('admit' as const), deadlineMs: fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined }) }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('settle' as const), which: fc.nat(9), verdict }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(0, 1, 5, 20, 40, 100, 1_000) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('hand' as const),
      action: fc.constantFrom('close' as const, 'close' as const, 'isolate' as const, 'disable' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('force open' as const), ms: fc.option(fc.constantFrom(1, 30, Infinity), { nil: undefined }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('attempt reset' as const), ok: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ do: 'look' as const }) },
)

/** A breaker whose permits are taken by hand, beside the plain reference. */
export class PermitScene {
  readonly clock: FakeClock = fakeClock()
  readonly breaker: CircuitBreaker
  readonly reference: ReferenceCircuit
  private readonly open: { readonly permit: Permit; readonly ticket: NonNullable<ReturnType<ReferenceCircuit['admit']>> }[] = []

  constructor(given: ReferenceSettings) {
    const { failureRatio, successThreshold } = given
    this.reference = new ReferenceCircuit(given)
    this.breaker = circuitBreaker({
      failureThreshold: given.failureThreshold,
      failureWindow: given.windowMs,
      openFor: given.openForMs,
      openForFactor: given.factor,
      maxOpenFor: given.maxOpenForMs,
      halfOpenProbes: given.probes,
      probeTimeout: given.probeTimeoutMs,
      clock: this.clock,
      ...(failureRatio === undefined ? { successThreshold } : { halfOpenFailureRatio: failureRatio }),
    })
  }

  async take(each: Step): Promise<void> {
    const { clock, breaker, reference } = this
    const now = clock.now()
    if (each.do === 'admit') this.admit(each.deadlineMs)
    else if (each.do === 'settle') this.settle(each.which, each.verdict)
    else if (each.do === 'wait') clock.step(each.ms)
    else if (each.do === 'hand') {
      breaker[each.action]()
      reference.hand(each.action, now)
    } else if (each.do === 'force open') {
      breaker.forceOpen(each.ms)
      reference.forceOpen(now, each.ms)
    } else if (each.do === 'attempt reset') await this.attemptReset(each.ok)
    else breaker.status()
  }

  /** Everything that can be seen must be the same; what cannot be seen shows in the steps that follow. */
  compare(): void {
    const { clock, breaker, reference } = this
    const status = breaker.status()
    const wanted = reference.figuresAt(clock.now(), clock.wallNow())
    assert.deepEqual(Object.fromEntries(Object.keys(wanted).map((figure) => [figure, status[figure]])), wanted)
    for (const figure of Object.values(status)) assert.ok(typeof figure !== 'number' || figure >= 0)
    assert.deepEqual(clock.timers, [])
  }

  private admit(deadlineMs: number | undefined): void {
    const permit = this.breaker.tryAcquire(deadlineMs === undefined ? undefined : { deadline: deadlineMs })
    const now = this.clock.now()
    const ticket = this.reference.admit(now, deadlineMs === undefined ? Infinity : now + deadlineMs)
    assert.equal(permit.refused, ticket === undefined)
    if (!permit.refused && ticket !== undefined) this.open.push({ permit, ticket })
  }

  private settle(which: number, how: ReferenceVerdict): void {
    const [call] = this.open.splice(which % Math.max(1, this.open.length), 1)
    if (call === undefined) return
    if (how === 'failure') call.permit.failure(new Error('down'))
    else if (how === 'success') call.permit.success()
    else call.permit.ignore()
    this.reference.settle(call.ticket, how, this.clock.now())
  }

  private async attemptReset(ok: boolean): Promise<void> {
    const { reference } = this
    const now = this.clock.now()
    const answer = await this.breaker.attemptReset(() => (ok ? 'up' : Promise.reject(new Error('down'))))
    reference.moveTo(now)
    if (reference.state === 'isolated') {
      assert.equal(answer, false)
      return
    }
    reference.probeNow(now)
    const ticket = reference.admit(now)
    assert.equal(answer, ok && ticket !== undefined)
    if (ticket !== undefined) reference.settle(ticket, ok ? 'success' : 'failure', now)
  }
}
