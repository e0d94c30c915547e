import fc from 'fast-check'
import { it } from 'vitest'
import { CallScene, callSettings, callStep } from './call-scene.fixture.ts'
import { PermitScene, permitSettings, permitStep } from './permit-scene.fixture.ts'

it('24, 29: any order of calls, endings, time and hands does what the plain reference does', async () => {
  await fc.assert(
    fc.asyncProperty(permitSettings, fc.array(permitStep, { minLength: 1, maxLength: 60, size: 'max' }), async (given, steps) => {
      const scene = new PermitScene(given)
      for (const each of steps) {
        await scene.take(each)
        scene.compare()
      }
    }),
    { numRuns: 3_000, seed: 24 },
  )
}, 120_000)

it('24, 29, 32, 33: whatever answers, aborts, deadlines and inner refusals come in whatever order, probes stay within their number', async () => {
  await fc.assert(
    fc.asyncProperty(callSettings, fc.array(callStep, { minLength: 1, maxLength: 50, size: 'max' }), async (given, steps) => {
      const scene = new CallScene(given)
      for (const each of steps) {
        await scene.take(each)
        scene.compare()
      }
    }),
    { numRuns: 1_500, seed: 29 },
  )
}, 120_000)
