import { describe, expect, it } from 'vitest'
import { loadShedder, seededRandom } from 'holdfast'
import { fakeClock, type FakeClock } from 'holdfast/testing'
import { ClientThrottle } from './client-throttle.ts'

const settings = { k: 2, windowMs: 10_000, minVolume: 10, maxRejectRatio: 0.85 }

interface Traffic {
  readonly asked: number
  readonly sent: number
  readonly succeeded: number
}

/** Ten requests per second for some time. */
async function send(
  shedder: ReturnType<typeof loadShedder>,
  clock: FakeClock,
  seconds: number,
  failureRatio: number,
  random: () => number,
): Promise<Traffic> {
  let sent = 0
  let succeeded = 0
  for (let index = 0; index < seconds * 10; index++) {
    clock.tick(100)
    const fails = random() < failureRatio
    const outcome = await shedder.tryExecute(() => {
      sent++
      if (fails) throw new Error('down')
    })
    if (outcome.ok) succeeded++
  }
  return { asked: seconds * 10, sent, succeeded }
}

function throttled(seed: number): { shedder: ReturnType<typeof loadShedder>; clock: FakeClock; random: () => number } {
  const clock = fakeClock()
  const random = seededRandom(seed)
  return { shedder: loadShedder({ mode: 'client-throttle', clock, random: seededRandom(seed + 1_000) }), clock, random }
}

describe('the client throttle', () => {
  it('91: counts a request before it is sent, sheds nothing below the least volume, and never all', () => {
    const throttle = new ClientThrottle(settings, 0)
    const asked = Array.from({ length: 200 }, () => throttle.ask(0))
    expect(asked.slice(0, 9).every((probability) => probability === 0)).toBe(true)
    expect(asked[9]).toBeGreaterThan(0.8) // no answer has come yet: all ten are only sent
    expect(Math.max(...asked)).toBe(0.85)
  })

  it('sheds (requests - k accepts) / (requests + 1)', () => {
    const throttle = new ClientThrottle(settings, 0)
    for (let index = 0; index < 100; index++) throttle.ask(0)
    for (let index = 0; index < 30; index++) throttle.accepted(0)
    throttle.failed()
    expect(throttle.peek(0)).toBeCloseTo(40 / 101)
    expect(throttle.peek(10_000)).toBe(0)
  })

  it('92: after an outage of 30 s at least 90 % of the calls of the first 10 s succeed, over 200 seeds', async () => {
    let asked = 0
    let succeeded = 0
    let sentInOutage = 0
    for (let seed = 1; seed <= 200; seed++) {
      const { shedder, clock, random } = throttled(seed)
      await send(shedder, clock, 20, 0.01, random)
      sentInOutage += (await send(shedder, clock, 30, 1, random)).sent
      const after = await send(shedder, clock, 10, 0, random)
      asked += after.asked
      succeeded += after.succeeded
    }
    expect(succeeded / asked).toBeGreaterThan(0.9)
    expect(sentInOutage / (200 * 300)).toBeLessThan(0.4)
  })

  it('92: recovers from a window in which everything was turned away', () => {
    const throttle = new ClientThrottle(settings, 0)
    for (let index = 0; index < 1_000; index++) throttle.ask(index * 9)
    expect(throttle.peek(9_000)).toBe(0.85)
    throttle.accepted(9_000)
    throttle.accepted(9_000)
    throttle.accepted(9_000)
    expect(throttle.peek(9_000)).toBeLessThan(0.11)
  })

  it('costs next to nothing while failures are few', async () => {
    let refused = 0
    for (let seed = 1; seed <= 20; seed++) {
      const { shedder, clock, random } = throttled(seed)
      const traffic = await send(shedder, clock, 60, 0.3, random)
      refused += traffic.asked - traffic.sent
    }
    expect(refused / (20 * 600)).toBeLessThan(0.02)
  })

  it('a call its caller gave up says nothing', async () => {
    const { shedder } = throttled(1)
    for (let index = 0; index < 50; index++) {
      const controller = new AbortController()
      const work = shedder.tryExecute(
        ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
        {
          signal: controller.signal,
        },
      )
      controller.abort(new Error('gave up'))
      await work
    }
    expect(shedder.status()).toMatchObject({ shed: 0, load: 0 })
  })
})
