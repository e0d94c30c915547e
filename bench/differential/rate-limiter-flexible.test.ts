import { rateLimiter, seededRandom, type LimitAlgorithmName } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

/**
 * Where the peer and ours differ, and are meant to. rate-limiter-flexible counts per fixed window that begins with a key's first use; ours
 * bound every interval.
 */
const intendedDifferences = [
  {
    what: 'ours refuses what the peer admits just after its window has begun anew',
    why: 'around the border of two windows the peer admits up to twice the limit (shown below)',
  },
  {
    what: 'ours admits what the peer refuses',
    why: 'units come back one after another as they grow old (sliding-window) or at the rate (gcra), not all at once at the end of a window',
  },
  {
    what: 'a refused call of the peer uses points',
    why: 'consume() adds before it compares, so its consumed points grow beyond the limit; ours uses nothing when it refuses',
  },
  {
    what: 'the times after which to come back differ',
    why: "msBeforeNext is the end of the peer's window; retryAfterMs is the moment at which this very cost fits",
  },
] as const

const windowMs = 1_000
const algorithms: readonly LimitAlgorithmName[] = ['sliding-window', 'gcra', 'token-bucket']

type Step = { readonly do: 'ask'; readonly key: string; readonly cost: number } | { readonly do: 'advance'; readonly ms: number }

function script(seed: number, length: number): readonly Step[] {
  const random = seededRandom(seed)
  return Array.from({ length }, (): Step => {
    if (random() < 0.25) return { do: 'advance', ms: Math.ceil(random() ** 3 * windowMs * 1.5) }
    return { do: 'ask', key: random() < 0.7 ? 'a' : 'b', cost: 1 + Math.floor(random() * 3) }
  })
}

interface Admitted {
  readonly key: string
  readonly cost: number
  readonly at: number
}

interface Course {
  readonly ours: readonly Admitted[]
  readonly peers: readonly Admitted[]
  /** Beginnings of the peer's windows, by key. */
  readonly windows: ReadonlyMap<string, readonly number[]>
}

/** Both limiters through the same script, on one clock. */
async function run(algorithm: LimitAlgorithmName, limit: number, steps: readonly Step[]): Promise<Course> {
  const clock = fakeClock()
  const began = Date.now()
  const ours = rateLimiter({ limit, window: windowMs, algorithm, clock })
  const peer = new RateLimiterMemory({ points: limit, duration: windowMs / 1_000 })
  const course = { ours: [] as Admitted[], peers: [] as Admitted[], windows: new Map<string, number[]>() }
  for (const step of steps) {
    if (step.do === 'advance') {
      clock.tick(step.ms)
      vi.advanceTimersByTime(step.ms)
      continue
    }
    const { key, cost } = step
    const admitted = { key, cost, at: Date.now() - began }
    expect(admitted.at).toBe(clock.now())
    if (ours.isAllowed(key, cost)) course.ours.push(admitted)
    const answer = await peer.consume(key, cost).then(
      (used) => ({ ok: true, used }),
      (used: { isFirstInDuration: boolean }) => ({ ok: false, used }),
    )
    if (answer.used.isFirstInDuration) course.windows.set(key, [...(course.windows.get(key) ?? []), admitted.at])
    if (answer.ok) course.peers.push(admitted)
  }
  return course
}

const sum = (uses: readonly Admitted[]): number => uses.reduce((total, { cost }) => total + cost, 0)

/** What was admitted from an instant on, for a window's length. */
function within(uses: readonly Admitted[], key: string, from: number): number {
  return sum(uses.filter((use) => use.key === key && use.at >= from && use.at < from + windowMs))
}

beforeEach(() => vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] }))
afterEach(() => vi.useRealTimers())

describe('beside rate-limiter-flexible', () => {
  it('knows every intended difference by what and why', () => {
    for (const { what, why } of intendedDifferences) expect([what.length > 10, why.length > 10]).toEqual([true, true])
  })

  describe.each(algorithms)('%s', (algorithm) => {
    it('both keep the limit in each of the windows of the peer; ours in every other as well', async () => {
      for (let seed = 1; seed <= 150; seed++) {
        const limit = 3 + (seed % 8)
        const { ours, peers, windows } = await run(algorithm, limit, script(seed, 120))
        for (const [key, begins] of windows) {
          for (const from of begins) expect([seed, within(peers, key, from) <= limit]).toEqual([seed, true])
        }
        const most = algorithm === 'sliding-window' ? limit : 2 * limit // burst + rate · P, for P of one window
        for (const { key, at } of ours) expect([seed, within(ours, key, at) <= most]).toEqual([seed, true])
      }
    })

    it('a key that comes with nothing used is admitted by both, up to the limit, and not beyond', async () => {
      for (let limit = 1; limit <= 20; limit++) {
        const asks = Array.from({ length: limit + 3 }, (): Step => ({ do: 'ask', key: 'a', cost: 1 }))
        const again: Step = { do: 'advance', ms: 3 * windowMs }
        const { ours, peers } = await run(algorithm, limit, [...asks, again, ...asks])
        expect(ours).toEqual(peers)
        expect(sum(ours)).toBe(2 * limit)
      }
    })

    it("neither lets one key use what is another one's, nor admits a cost above the limit", async () => {
      const { ours, peers } = await run(algorithm, 5, [
        { do: 'ask', key: 'a', cost: 5 },
        { do: 'ask', key: 'b', cost: 5 },
        { do: 'ask', key: 'c', cost: 6 },
        { do: 'ask', key: 'a', cost: 1 },
      ])
      expect(ours).toEqual(peers)
      expect(ours.map(({ key }) => key)).toEqual(['a', 'b'])
    })

    it('over a long time of more demand than the limit, ours admits as much as the limit says, within a burst', async () => {
      const steps = Array.from({ length: 2_000 }, (_, index): Step =>
        index % 2 === 0 ? { do: 'ask', key: 'a', cost: 1 } : { do: 'advance', ms: 20 },
      )
      const { ours, peers } = await run(algorithm, 10, steps) // 20 s at 50 a second
      expect(sum(peers)).toBeGreaterThanOrEqual(190)
      expect(sum(ours)).toBeGreaterThanOrEqual(190)
      expect(sum(ours)).toBeLessThanOrEqual(210)
    })
  })

  it('93: the peer admits twice the limit around the border of two windows; the sliding window does not', async () => {
    const burst = (count: number): Step[] => Array.from({ length: count }, () => ({ do: 'ask', key: 'a', cost: 1 }))
    const steps: Step[] = [...burst(1), { do: 'advance', ms: windowMs - 10 }, ...burst(9), { do: 'advance', ms: 20 }, ...burst(10)]
    const { ours, peers } = await run('sliding-window', 10, steps)
    expect(within(peers, 'a', windowMs - 10)).toBe(19)
    expect(within(ours, 'a', windowMs - 10)).toBe(10)
  })
})
