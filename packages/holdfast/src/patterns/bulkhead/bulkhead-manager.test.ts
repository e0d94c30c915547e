import { bulkheadManager, pipeline, retry, type BulkheadEvent } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { work, works } from './bulkhead.fixture.ts'

describe('pools of a bulkhead manager', () => {
  it('are those of the specification when none are given, each with places of its own and a bounded queue', () => {
    const resources = bulkheadManager()
    expect(resources.poolNames).toEqual(['llm_calls', 'database_operations', 'memory_operations', 'tool_executions', 'file_operations'])
    const places = Object.values(resources.status().pools).map(({ maxConcurrent, maxQueued }) => [maxConcurrent, maxQueued])
    expect(places).toEqual([50, 100, 200, 30, 20].map((count) => [count, count]))
  })

  it('do not take places of one another', async () => {
    const resources = bulkheadManager({ pools: { tools: { maxConcurrent: 1 }, database: { maxConcurrent: 1 } } })
    const slow = work()
    const running = resources.execute('tools', slow.run)
    await expect(resources.execute('tools', () => 1)).rejects.toMatchObject({ code: 'ERR_BULKHEAD_FULL', policy: 'resources/tools' })
    expect(await resources.execute('database', () => 'rows')).toBe('rows')
    slow.finish()
    expect(await running).toBe('done')
  })

  it('stand in pipelines as any bulkhead', async () => {
    const resources = bulkheadManager({ pools: { tools: { maxConcurrent: 1 } } })
    expect(await pipeline(retry({ maxAttempts: 2 }), resources.get('tools')).execute(() => 'answer')).toBe('answer')
    expect(resources.status().pools).toMatchObject({ tools: { admitted: 1, succeeded: 1 } })
  })

  it('answer a call for an unknown one with an error that names it and the nearest, as a rejection', async () => {
    const resources = bulkheadManager()
    const unknown = {
      code: 'ERR_UNKNOWN_NAME',
      policy: 'resources',
      message: `resources: there is no pool "llm_call" (did you mean 'llm_calls'?)`,
    }
    await expect(resources.execute('llm_call' as never, () => 1)).rejects.toMatchObject(unknown)
    expect(await resources.tryExecute('llm_call' as never, () => 1)).toMatchObject({ ok: false, error: unknown })
    expect(() => resources.get('queue' as never)).toThrow(/there are: llm_calls, database_operations/)
    expect(() => bulkheadManager({ pools: {} }).get('x' as never)).toThrow('resources: there is no pool "x" (there are: none)')
    expect(resources.find('queue')).toBeUndefined()
  })

  it('pass options of the call on, and tell a refusal as plain data', async () => {
    const resources = bulkheadManager({ pools: { tools: { maxConcurrent: 1 } } })
    expect(await resources.tryExecute('tools', ({ key }) => key, { key: 'k' })).toEqual({ ok: true, value: 'k' })
    expect(await resources.execute('tools', ({ key }) => key, { key: 'l' })).toBe('l')
    const slow = work()
    const running = resources.execute('tools', slow.run)
    expect(await resources.tryExecute('tools', () => 1)).toMatchObject({ ok: false, refusal: { code: 'ERR_BULKHEAD_FULL' } })
    slow.finish()
    await running
  })
})

describe('making and removing pools', () => {
  it('makes pools at run time, found by name, up to maxPools', () => {
    const resources = bulkheadManager({ pools: { tools: { maxConcurrent: 1 } }, maxPools: 2, name: 'agent' })
    const search = resources.create('search', { maxConcurrent: 3 })
    expect(resources.find('search')).toBe(search)
    expect(search.name).toBe('agent/search')
    expect(() => resources.create('more', { maxConcurrent: 1 })).toThrow(/agent: there are 2 pools already; raise 'maxPools'/)
    expect(resources.remove('search')).toBe(true)
    expect(resources.remove('search')).toBe(false)
    expect(resources.create('more', { maxConcurrent: 1 }).status().maxConcurrent).toBe(1)
  })

  it('turns away those who wait for a pool that is removed, and lets those go on who run', async () => {
    const resources = bulkheadManager({ pools: { tools: { maxConcurrent: 1, maxQueued: 1 } } })
    const [running, waiting] = works(2)
    const answers = [resources.execute('tools', running!.run), resources.execute('tools', waiting!.run)]
    resources.remove('tools')
    await expect(answers[1]).rejects.toMatchObject({ code: 'ERR_DISPOSED', policy: 'resources/tools' })
    running!.finish()
    expect(await answers[0]).toBe('done')
  })

  it.each([
    ['a name that is taken', () => bulkheadManager().create('llm_calls', { maxConcurrent: 1 }), /there is a pool 'llm_calls' already/],
    ['an empty name', () => bulkheadManager().create('', { maxConcurrent: 1 }), /'pool' must be a name, got ""/],
    ['a bad setting', () => bulkheadManager({ pools: { tools: { maxConcurrent: 0 } } }), /resources\/tools: option 'maxConcurrent'/],
    ['an unknown setting', () => bulkheadManager({ pools: { a: { places: 1 } as never } }), /there is no option 'places'/],
    ['a name of its own', () => bulkheadManager({ pools: { a: { maxConcurrent: 1, name: 'b' } as never } }), /'name' must be absent/],
    ['an unknown option', () => bulkheadManager({ pool: {} } as never), /did you mean 'pools'/],
    ['pools that are none', () => bulkheadManager({ pools: null as never }), /'pools' must be an object of pools/],
    ['a bad maxPools', () => bulkheadManager({ maxPools: 0 }), /'maxPools' must be a whole number from 1/],
    ['more pools than maxPools', () => bulkheadManager({ maxPools: 4 }), /there are 4 pools already/],
  ])('refuses %s', (_what, make, message) => {
    expect(make).toThrow(message)
  })
})

describe('what a bulkhead manager tells', () => {
  it('figures of all pools, which a reset sets to zero without touching places or waiters', async () => {
    const resources = bulkheadManager({ pools: { tools: { maxConcurrent: 1, maxQueued: 1 }, idle: { maxConcurrent: 2 } } })
    await resources.execute('tools', () => 1)
    const [running, waiting] = works(2)
    const answers = [resources.execute('tools', running!.run), resources.execute('tools', waiting!.run)]
    expect(resources.status()).toMatchObject({
      kind: 'bulkhead-manager',
      name: 'resources',
      pools: { tools: { admitted: 2 }, idle: { admitted: 0 } },
    })
    resources.resetStatistics()
    expect(resources.status().pools.tools).toMatchObject({ admitted: 1, succeeded: 0, running: 1, queued: 1 })
    running!.finish()
    waiting!.finish()
    expect(await Promise.all(answers)).toEqual(['done', 'done'])
  })

  it('warns while a pool is full, and says which', async () => {
    const resources = bulkheadManager({ pools: { tools: { maxConcurrent: 1 }, idle: { maxConcurrent: 1 } } })
    expect(resources.health()).toEqual({ status: 'pass' })
    const permit = await resources.get('tools').acquire()
    expect(resources.health()).toEqual({ status: 'warn', reason: `bulkhead 'resources/tools' is full: 1 run, 0 wait` })
    permit.success()
    expect(resources.health()).toEqual({ status: 'pass' })
  })

  it('events of all pools, of those made later too, until the listener ends', async () => {
    const resources = bulkheadManager({ pools: { tools: { maxConcurrent: 1 } }, clock: fakeClock({ wallMs: 0 }) })
    const events: BulkheadEvent[] = []
    const end = resources.on((event) => events.push(event))
    const later = resources.create('later', { maxConcurrent: 1 })
    resources.get('tools').resize(2)
    later.resize(3)
    await Promise.resolve()
    expect(events.map(({ type, policy }) => [type, policy])).toEqual([
      ['bulkhead.resized', 'resources/tools'],
      ['bulkhead.resized', 'resources/later'],
    ])
    resources.remove('later')
    end()
    resources.get('tools').resize(1)
    resources.create('after', { maxConcurrent: 1 }).resize(2)
    await Promise.resolve()
    expect(events).toHaveLength(2)
  })

  it('describes itself as plain data', () => {
    const resources = bulkheadManager({ pools: { tools: { maxConcurrent: 1, maxWait: '2s' } } })
    expect(resources.describe()).toMatchObject({
      kind: 'bulkhead-manager',
      name: 'resources',
      maxPools: 100,
      pools: { tools: { kind: 'bulkhead', name: 'resources/tools', maxConcurrent: 1, maxWaitMs: 2_000 } },
    })
  })

  it('114: disposing turns waiters and later calls away, and no pool can be made any more', async () => {
    const resources = bulkheadManager({ pools: { tools: { maxConcurrent: 1, maxQueued: 1 } } })
    const running = work()
    const answer = resources.execute('tools', running.run)
    const waiting = resources.tryExecute('tools', () => 1)
    resources[Symbol.dispose]()
    expect(await waiting).toMatchObject({ refusal: { code: 'ERR_DISPOSED' } })
    expect(() => resources.create('more', { maxConcurrent: 1 })).toThrow(expect.objectContaining({ code: 'ERR_DISPOSED' }))
    expect(resources.health()).toMatchObject({ status: 'fail', reason: `'resources' has been disposed of` })
    running.finish()
    expect(await answer).toBe('done')
  })
})
