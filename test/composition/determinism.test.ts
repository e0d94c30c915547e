import { bulkhead, circuitBreaker, fallback, pipeline, rateLimiter, retry, timeout } from 'holdfast'
import { fakeClock, seededRandom } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { transientError } from './deferred.fixture.ts'

/** All that happens in a busy minute, with every source of chance fed by one seed. */
async function eventLog(seed: number): Promise<readonly unknown[]> {
  const clock = fakeClock()
  const random = seededRandom(seed)
  const log: unknown[] = []
  const guarded = pipeline(
    fallback({ value: 'instead', clock }),
    timeout({ name: 'total', after: '5s', clock }),
    retry({ maxAttempts: 4, initialDelay: '200ms', random, clock }),
    circuitBreaker({ failureThreshold: 8, openFor: '3s', openForJitter: 0.3, random, clock }),
    rateLimiter({ limit: 30, window: '1s', maxQueued: 5, random, clock }),
    bulkhead({ maxConcurrent: 3, maxQueued: 4, maxWait: '500ms', clock }),
    timeout({ name: 'attempt', after: '400ms', clock }),
  )
  guarded.on((event) => log.push(event))
  const arrive = (): void => {
    const begunAt = clock.now()
    const run = (): Promise<string> =>
      new Promise((resolve, reject) => {
        const fails = random() < 0.4
        clock.setTimer(() => (fails ? reject(transientError()) : resolve('value')), random() * 500)
      })
    void guarded.tryExecute(run).then(({ ok, value }) => log.push([begunAt, clock.now(), ok, value]))
    clock.setTimer(arrive, random() * 120)
  }
  arrive()
  await clock.advance('1m')
  return log.map((entry) =>
    typeof entry === 'object' && entry !== null && 'error' in entry ? { ...entry, error: String(entry.error) } : entry,
  )
}

describe('116: the same seed on a virtual clock', () => {
  it('gives the identical log of events and answers', async () => {
    const log = await eventLog(1)
    const types = new Set(log.map((entry) => (entry as { type?: string }).type))
    const wanted = [
      'circuit.opened',
      'circuit.half-opened',
      'circuit.closed',
      'retry.scheduled',
      'bulkhead.rejected',
      'timeout.fired',
      'fallback.used',
    ]
    for (const type of wanted) expect(types).toContain(type)
    expect(await eventLog(1)).toEqual(log)
  })

  it('another seed gives another', async () => {
    expect(await eventLog(2)).not.toEqual(await eventLog(1))
  })
})
