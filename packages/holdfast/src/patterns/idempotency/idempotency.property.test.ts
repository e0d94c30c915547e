import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fakeClock } from '../../core/fake-clock.ts'
import { memoryOnce } from '../../core/ports/memory-once.ts'
import { faultyOnce, type Fault } from './faulty-once.fixture.ts'
import { idempotencyManager, type IdempotencyManager } from './index.ts'

const faults = fc.constantFrom<Fault>('none', 'none', 'none', 'lost-request', 'lost-answer', 'unavailable', 'throws')

const steps = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('call' as const), manager: fc.nat(2), key: fc.nat(2), payload: fc.nat(1) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('end' as const), which: fc.nat(9), ok: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.constantFrom(1, 1_000, 12_000, 40_000) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('stall' as const), ms: fc.constantFrom(9_000, 40_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), which: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('fault' as const), faults: fc.array(faults, { maxLength: 5 }) }) },
)

interface Running {
  readonly key: string
  readonly end: (ok: boolean) => void
}

/**
 * Managers of one store behind a bad network, callers who leave, an event loop that stands still. Without a recover hook, a key's
 * function must never begin twice, and all that callers are told of a key must be one and the same outcome.
 */
it('104, 105: whatever happens in whatever order, a key has one execution and one outcome', async () => {
  let executions = 0
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 5, maxLength: 60, size: 'max' }), fc.boolean(), async (script, joins) => {
      const clock = fakeClock()
      const { store, faults: coming } = faultyOnce(memoryOnce({ clock }))
      const managers: IdempotencyManager[] = [0, 1, 2].map(() =>
        idempotencyManager({ store, clock, random: () => 0.5, inFlight: joins ? 'join' : 'reject', lease: '30s', ttl: '7d' }),
      )
      const begun = new Map<string, number>()
      const outcomes = new Map<string, Set<unknown>>()
      const running: Running[] = []
      const callers: AbortController[] = []
      const calls: Promise<unknown>[] = []

      const call = (manager: number, name: number, payload: number): void => {
        const key = `key-${name}`
        const caller = new AbortController()
        callers.push(caller)
        const run = (): Promise<string> => {
          executions++
          const count = (begun.get(key) ?? 0) + 1
          begun.set(key, count)
          return new Promise((resolve, reject) => {
            const result = `${key}, payload ${payload}, execution ${count}`
            running.push({ key, end: (ok) => (ok ? resolve(result) : reject(new Error(result))) })
          })
        }
        const told = (outcome: string): void => void outcomes.set(key, (outcomes.get(key) ?? new Set()).add(outcome))
        const made = (managers[manager] as IdempotencyManager).execute(key, run, { payload, signal: caller.signal })
        calls.push(
          made.then(told, (error: { name: string; code?: string; message: string }) => {
            if (error.name === 'Error') told(`failed: ${error.message}`)
            else if (error.name !== 'AbortError')
              expect(error.code).toMatch(/^ERR_(IDEMPOTENCY_(IN_PROGRESS|MISMATCH|OUTCOME_UNKNOWN)|STORE_UNAVAILABLE)$/)
          }),
        )
      }

      for (const step of script) {
        if (step.kind === 'call') call(step.manager, step.key, step.payload)
        else if (step.kind === 'end') running.splice(step.which % Math.max(1, running.length), 1)[0]?.end(step.ok)
        else if (step.kind === 'advance') await clock.advance(step.ms)
        else if (step.kind === 'stall') clock.step(step.ms)
        else if (step.kind === 'leave') callers[step.which]?.abort()
        else coming.push(...step.faults)
        await clock.settle()
      }
      for (const { end } of running) end(true)
      coming.length = 0
      await clock.advance('2m')
      for (const one of running) one.end(true)
      await clock.advance('2m')
      await Promise.all(calls)

      for (const [key, count] of begun) expect([key, count]).toEqual([key, 1])
      for (const [key, told] of outcomes) expect([key, told.size]).toEqual([key, 1])
      for (const manager of managers) expect(manager.status().running).toBe(0)
      await clock.advance('1m')
      expect(clock.timers).toEqual([])
    }),
    { numRuns: 400 },
  )
  expect(executions).toBeGreaterThan(400)
})
