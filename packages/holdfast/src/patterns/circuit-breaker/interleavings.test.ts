import assert from 'node:assert/strict'
import { circuitBreaker, type CircuitBreaker, type Permit } from 'holdfast'
import { fakeClock, type FakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { ReferenceCircuit, type ReferenceSettings, type ReferenceVerdict } from './reference-circuit.fixture.ts'

const openForMs = 10
const leaseMs = 7

/** What one caller does, in this order: comes, and ends in one of the ways. `expire`: never ends, its lease does. */
type Ending = 'success' | 'failure' | 'ignore' | 'expire'

interface Actor {
  readonly ends: Ending
}

interface World {
  readonly clock: FakeClock
  readonly breaker: CircuitBreaker
  readonly reference: ReferenceCircuit
  readonly held: Map<number, { readonly permit: Permit; readonly ticket: NonNullable<ReturnType<ReferenceCircuit['admit']>> }>
}

function world(probes: number, successThreshold: number, failureRatio: number | undefined): World {
  const clock = fakeClock()
  const settings: ReferenceSettings = {
    failureThreshold: 1,
    windowMs: 1_000,
    openForMs,
    factor: 1,
    maxOpenForMs: Infinity,
    probes,
    successThreshold,
    failureRatio,
    probeTimeoutMs: leaseMs,
  }
  const breaker = circuitBreaker({
    failureThreshold: 1,
    failureWindow: 1_000,
    openFor: openForMs,
    halfOpenProbes: probes,
    probeTimeout: leaseMs,
    clock,
    ...(failureRatio === undefined ? { successThreshold } : { halfOpenFailureRatio: failureRatio }),
  })
  return { clock, breaker, reference: new ReferenceCircuit(settings), held: new Map() }
}

/** Every order of the events in which each actor comes before it ends, and the clock moves in between: depth first, all of them. */
function* ordersOf(actors: readonly Actor[], moves: number): Generator<readonly string[]> {
  const rest = actors.map(() => 0)
  function* go(order: readonly string[], moved: number): Generator<readonly string[]> {
    let isLast = true
    for (const [index, { ends }] of actors.entries()) {
      const done = rest[index] as number
      if (done === 2 || (done === 1 && ends === 'expire')) continue
      isLast = false
      rest[index] = done + 1
      yield* go([...order, `${done === 0 ? 'comes' : ends} ${index}`], moved)
      rest[index] = done
    }
    if (moved < moves) {
      isLast = false
      yield* go([...order, 'time'], moved + 1)
    }
    if (isLast) yield order
  }
  yield* go([], 0)
}

/** Plays one order from the moment the open time is over; both must agree after each event, and grants never exceed the budget. */
function play(order: readonly string[], { clock, breaker, reference, held }: World, most: number): void {
  const probesOf = new Map<number, number>()
  for (const event of order) {
    const [what, which] = event.split(' ') as [string, string]
    if (what === 'time') clock.step(leaseMs)
    else if (what === 'comes') {
      const permit = breaker.tryAcquire()
      const ticket = reference.admit(clock.now())
      assert.equal(permit.refused, ticket === undefined, `${event} in ${order.join(', ')}`)
      if (!permit.refused && ticket !== undefined) {
        held.set(Number(which), { permit, ticket })
        if (reference.state === 'half-open') probesOf.set(ticket.stay, (probesOf.get(ticket.stay) ?? 0) + 1)
      }
    } else {
      const one = held.get(Number(which))
      held.delete(Number(which))
      if (one !== undefined) {
        const { permit, ticket } = one
        if (what === 'failure') permit.failure(new Error('down'))
        else (what === 'success' ? () => permit.success() : () => permit.ignore())()
        if (what === 'ignore' && !ticket.over) probesOf.set(ticket.stay, (probesOf.get(ticket.stay) ?? 0) - 1)
        reference.settle(ticket, (what === 'ignore' ? 'ignored' : what) as ReferenceVerdict, clock.now())
      }
    }
    for (const count of probesOf.values()) assert.ok(count <= most, `${count} probes at ${event} in ${order.join(', ')}`)
    const wanted = reference.figuresAt(clock.now(), clock.wallNow())
    const status = breaker.status()
    const seen = Object.fromEntries(Object.keys(wanted).map((figure) => [figure, status[figure]]))
    if (JSON.stringify(seen) !== JSON.stringify(wanted)) assert.deepEqual(seen, wanted, `${event} in ${order.join(', ')}`)
  }
}

/** Opens the circuit while these calls of the closed state run on. */
function openWith(stale: number, { clock, breaker, reference, held }: World): void {
  for (let index = 0; index <= stale; index++) {
    const permit = breaker.tryAcquire()
    const ticket = reference.admit(clock.now())
    if (permit.refused || ticket === undefined) throw new Error('refused while closed')
    if (index < stale) held.set(100 + index, { permit, ticket })
    else {
      permit.failure(new Error('down'))
      reference.settle(ticket, 'failure', clock.now())
    }
  }
  clock.step(openForMs)
}

const rules = [
  { name: 'one probe', probes: 1, successThreshold: 1, failureRatio: undefined, most: 1 },
  { name: 'two probes at once', probes: 2, successThreshold: 2, failureRatio: undefined, most: 2 },
  { name: 'a sample of two', probes: 2, successThreshold: 1, failureRatio: 1, most: 2 },
] as const
const endings: readonly Ending[] = ['success', 'failure', 'ignore', 'expire']

describe.each(rules)('24, 29: with $name', ({ probes, successThreshold, failureRatio, most }) => {
  it('every order in which three callers come and end, with time passing in between, does what the reference does', () => {
    let played = 0
    for (const [index, a] of endings.entries()) {
      for (const [other, b] of endings.slice(index).entries()) {
        for (const c of endings.slice(index + other)) {
          const actors = [a, b, c].map((ends): Actor => ({ ends }))
          for (const order of ordersOf(actors, 2)) {
            const made = world(probes, successThreshold, failureRatio)
            openWith(0, made)
            play(order, made, most)
            played++
          }
        }
      }
    }
    expect(played).toBeGreaterThan(10_000)
  }, 60_000)

  it('every order in which two late calls of the closed state end among two probes makes no place and no verdict', () => {
    let played = 0
    for (const stale of ['success', 'failure', 'ignore'] as const) {
      for (const [index, a] of endings.entries()) {
        for (const b of endings.slice(index)) {
          const actors = [a, b].map((ends): Actor => ({ ends }))
          for (const order of ordersOf(actors, 1)) {
            for (const first of order.keys()) {
              for (let second = first; second < order.length; second++) {
                const made = world(probes, successThreshold, failureRatio)
                openWith(2, made)
                const late = [
                  ...order.slice(0, first),
                  `${stale} 100`,
                  ...order.slice(first, second),
                  `${stale} 101`,
                  ...order.slice(second),
                ]
                play(late, made, most)
                played++
              }
            }
          }
        }
      }
    }
    expect(played).toBeGreaterThan(5_000)
  }, 60_000)
})
