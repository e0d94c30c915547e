import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { FakeClock } from 'holdfast/testing'
import { expect, vi } from 'vitest'
import { differences, type DifferenceId } from './differences.ts'
import { Scene, type Happened, type Kind, type Step, type Subject, type View } from './scene.fixture.ts'

/** When a script ends, since what comes after it may be different on purpose. */
export type Endings = Partial<Record<DifferenceId, (happened: Happened) => boolean>>

export interface Pairing {
  readonly name: string
  readonly peer: string
  readonly ours: (clock: FakeClock) => Subject
  readonly theirs: () => Subject
  readonly steps: fc.Arbitrary<Step>
  /** Longer advances are taken in parts of so many ms, so that differences within them are seen. */
  readonly grainMs?: number
  /** Scripts that chance seldom writes. */
  readonly examples?: readonly (readonly Step[])[]
  /** Differences after which a script is not followed further. */
  readonly endings: Endings
  /** Differences of how the same thing is shown: what the peer's view is to be read as. */
  readonly views?: Partial<Record<DifferenceId, (theirs: View, ours: View) => View>>
}

const scripts = 400

/** Plays the scripts of a pairing; fails for a difference that is not in the list, and for one in the list that never shows. */
export async function expectTheSame(pairing: Pairing): Promise<void> {
  const { peer, name, endings, views = {} } = pairing
  const listed = differences.filter((each) => each.peer === peer && (each.pairings as readonly string[]).includes(name)).map(({ id }) => id)
  expect(new Set([...Object.keys(endings), ...Object.keys(views)])).toEqual(new Set(listed))
  const shown = new Set<string>()
  let compared = 0
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
    now: 1_900_000_000_000,
  })
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(pairing.steps, { minLength: 1, maxLength: 30, size: 'max' }), async (steps: readonly Step[]) => {
        const scene = new Scene(pairing.ours, pairing.theirs)
        try {
          for (const step of steps.flatMap((each) => inParts(each, pairing.grainMs ?? Infinity))) {
            const happened = await scene.take(step)
            let theirs = happened.theirs
            for (const [id, read] of Object.entries(views)) {
              const asRead = read(theirs, happened.ours)
              if (JSON.stringify(asRead) !== JSON.stringify(theirs)) shown.add(id)
              theirs = asRead
            }
            const differs = JSON.stringify(theirs) !== JSON.stringify(happened.ours)
            const ending = Object.entries(endings).find(([, when]) => when({ ...happened, theirs }))
            if (ending !== undefined) {
              if (differs) shown.add(ending[0])
              return
            }
            assert.deepEqual(happened.ours, theirs, `after ${JSON.stringify(step)}, ours and ${peer}`)
            compared++
          }
        } finally {
          vi.clearAllTimers()
        }
      }),
      { numRuns: scripts, seed: 4, examples: (pairing.examples ?? []).map((steps) => [[...steps]] as [Step[]]) },
    )
  } finally {
    vi.useRealTimers()
  }
  expect(compared).toBeGreaterThan(scripts)
  expect([...shown].toSorted()).toEqual(listed.toSorted()) // a difference that never shows is none
}

function inParts(step: Step, grainMs: number): readonly Step[] {
  if (step.do !== 'advance' || step.ms <= grainMs) return [step]
  return Array.from({ length: step.ms / grainMs }, () => advance(grainMs))
}

const plan = (kinds: readonly Kind[], most: number): fc.Arbitrary<readonly Kind[]> =>
  fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: most })

export const callsOf = (...kinds: readonly Kind[]): Step => ({ do: 'call', plans: kinds.map((kind) => [kind]) })
export const advance = (ms: number): Step => ({ do: 'advance', ms })

/** Steps of calls of these kinds, up to so many at once, time that passes, and callers who leave. */
export function stepsOf(options: {
  readonly kinds: readonly Kind[]
  readonly atOnce?: number
  readonly attempts?: number
  readonly advance: readonly number[]
  readonly abort?: number
}): fc.Arbitrary<Step> {
  const { kinds, atOnce = 1, attempts = 1, abort = 0 } = options
  const plans = fc.array(plan(kinds, attempts), { minLength: 1, maxLength: atOnce })
  return fc.oneof(
    {
      weight: 8,
      arbitrary: fc.array(plan(kinds, attempts), { minLength: 1, maxLength: 1 }).map((one): Step => ({ do: 'call', plans: one })),
    },
    { weight: atOnce > 1 ? 2 : 0, arbitrary: plans.map((some): Step => ({ do: 'call', plans: some })) },
    { weight: 4, arbitrary: fc.constantFrom(...options.advance).map(advance) },
    { weight: abort, arbitrary: fc.nat(9).map((which): Step => ({ do: 'abort', which })) },
  )
}
