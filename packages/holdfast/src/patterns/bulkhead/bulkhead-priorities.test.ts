import { bulkhead, type Bulkhead, type CallOptions, type Permit } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'

type Asked = NonNullable<CallOptions['priority']>

/** Calls that wait behind the only place, in the order in which they came. */
function queueUp(options: { readonly maxQueued: number; readonly asked: readonly Asked[] }): {
  readonly served: string[]
  readonly refused: string[]
  readonly door: Bulkhead
  release(): Promise<void>
} {
  const door = bulkhead({ maxConcurrent: 1, maxQueued: options.maxQueued, clock: fakeClock() })
  const permit = door.tryAcquire() as Permit
  const served: string[] = []
  const refused: string[] = []
  const answers = options.asked.map(async (priority, index) => {
    const outcome = await door.tryExecute(() => served.push(`${priority} ${index}`), { priority })
    if (!outcome.ok) refused.push(`${priority} ${index} ${outcome.refusal?.code}`)
  })
  return {
    served,
    refused,
    door,
    release: async () => {
      permit.success()
      await Promise.all(answers)
    },
  }
}

describe('priorities in the queue', () => {
  it('higher ones go first, and within one those who came first', async () => {
    const { served, release } = queueUp({ maxQueued: 9, asked: ['low', 'normal', 'critical', 'normal', 'high', 'low', 'critical'] })
    await release()
    expect(served).toEqual(['critical 2', 'critical 6', 'high 4', 'normal 1', 'normal 3', 'low 0', 'low 5'])
  })

  it('a full queue turns the least important away, of those the one that came last', async () => {
    const { served, refused, door, release } = queueUp({ maxQueued: 3, asked: ['low', 'low', 'normal', 'normal', 'critical', 'low'] })
    expect(door.status()).toMatchObject({ queued: 3, rejected: 3, displaced: 2 })
    await release()
    expect(refused.toSorted()).toEqual(['low 0 ERR_BULKHEAD_FULL', 'low 1 ERR_BULKHEAD_FULL', 'low 5 ERR_BULKHEAD_FULL'])
    expect(served).toEqual(['critical 4', 'normal 2', 'normal 3'])
  })

  it('nobody is displaced by an equal', async () => {
    const { served, refused, release } = queueUp({ maxQueued: 2, asked: ['high', 'high', 'high'] })
    await release()
    expect(served).toEqual(['high 0', 'high 1'])
    expect(refused).toEqual(['high 2 ERR_BULKHEAD_FULL'])
  })

  it('a call without a queue to wait in displaces nobody', async () => {
    const { door, refused, release } = queueUp({ maxQueued: 1, asked: ['low'] })
    expect(door.tryAcquire({ priority: 'critical' })).toMatchObject({ refused: true, code: 'ERR_BULKHEAD_FULL' })
    await release()
    expect(refused).toEqual([])
  })
})
