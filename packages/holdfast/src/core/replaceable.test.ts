import { bulkhead, circuitBreaker, pipeline, rateLimiter, replaceable, retry, timeout, type PolicyEvent, type PolicyLike } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'

/** Work that ends when the test says so. */
function work(): { readonly run: () => Promise<string>; finish(): void } {
  let finish!: (value: string) => void
  const promise = new Promise<string>((resolve) => (finish = resolve))
  return { run: () => promise, finish: () => finish('done') }
}

describe('112: a policy that is replaced while calls are under way', () => {
  it('calls end where they began, those that wait too; the old policy is disposed of after the last, the new one takes the rest', async () => {
    const old = bulkhead({ name: 'old', maxConcurrent: 1, maxQueued: 5 })
    const place = replaceable(old)
    const guarded = pipeline(circuitBreaker(), place)
    const works = [work(), work()]
    const before = works.map(({ run }) => guarded.execute(run))
    expect(old.status()).toMatchObject({ running: 1, queued: 1 })
    const next = bulkhead({ name: 'new', maxConcurrent: 2 })
    expect(place.replace(next)).toBe(old)
    expect(place.status()).toMatchObject({ replaced: 1, draining: 1, current: { name: 'new' } })
    expect(await guarded.execute(() => 'at once')).toBe('at once')
    for (const { finish } of works) finish()
    expect(await Promise.all(before)).toEqual(['done', 'done'])
    expect(old.status()).toMatchObject({ succeeded: 2, running: 0, queued: 0 })
    await expect(old.execute(() => 1)).rejects.toMatchObject({ code: 'ERR_DISPOSED' })
    expect([next.status().succeeded, place.status()['draining']]).toEqual([1, 0])
  })

  it('work that goes on after its caller has been told keeps the old policy', async () => {
    const clock = fakeClock()
    const old = bulkhead({ maxConcurrent: 1 })
    const place = replaceable(pipeline({ clock }, old, timeout({ after: 10, clock })))
    const abandoned = work()
    const answer = place.tryExecute(abandoned.run)
    await clock.advance(10)
    expect(await answer).toMatchObject({ error: { code: 'ERR_TIMEOUT' } })
    place.replace(timeout({ after: 10, clock }))
    expect(place.status()).toMatchObject({ draining: 1 })
    abandoned.finish()
    await clock.advance(0)
    expect(place.status()).toMatchObject({ draining: 0 })
  })

  it('an idle one is disposed of at once, or left alone where that is wanted', async () => {
    const [first, second] = [bulkhead({ maxConcurrent: 1 }), bulkhead({ maxConcurrent: 1 })]
    const place = replaceable(first)
    place.replace(second)
    await expect(first.execute(() => 1)).rejects.toMatchObject({ code: 'ERR_DISPOSED' })
    place.replace(retry(), { dispose: false })
    expect(await second.execute(() => 'still there')).toBe('still there')
  })

  it('a breaker in the place is asked again after a wait further inside, as one that was there from the start', async () => {
    const clock = fakeClock()
    const breaker = circuitBreaker({ clock })
    const places = bulkhead({ maxConcurrent: 1, maxQueued: 1, clock })
    const guarded = pipeline(
      { clock },
      rateLimiter({ limit: 10, window: 1_000, clock }),
      retry({ maxAttempts: 1, clock }),
      replaceable(breaker),
      places,
    )
    const first = work()
    const running = guarded.execute(first.run)
    const waiting = guarded.tryExecute(() => 'must not run')
    breaker.isolate()
    first.finish()
    expect(await running).toBe('done')
    expect(await waiting).toMatchObject({ ok: false, refusal: { code: 'ERR_CIRCUIT_ISOLATED' } })
  })

  it('whoever listens hears the one that is there', async () => {
    const place = replaceable(circuitBreaker({ name: 'first' }))
    const heard: string[] = []
    const end = place.on(({ policy, type }: PolicyEvent) => heard.push(`${policy} ${type}`))
    const second = circuitBreaker({ name: 'second' })
    place.replace(second)
    second.isolate()
    await Promise.resolve()
    end()
    second.close()
    await Promise.resolve()
    expect(heard).toEqual(['second circuit.isolated'])
    expect(place.health()).toEqual({ status: 'pass' })
    expect(place.describe()).toMatchObject({ kind: 'replaceable', current: { kind: 'circuit-breaker', name: 'second' } })
  })

  it('something that is no policy changes nothing', () => {
    const breaker = circuitBreaker()
    const place = replaceable(breaker)
    expect(() => place.replace({} as PolicyLike)).toThrow('replaceable: the policy is no policy, got an object')
    expect(place.current).toBe(breaker)
  })
})
