import { fakeClock } from 'holdfast/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { workerCompartment, type WorkerCompartmentEvent } from './index.ts'
import { begun, compartment, endAll, sharedFlags, until } from './worker-scene.fixture.ts'

afterEach(endAll)

describe('a job that takes too long', () => {
  it('is told to its caller at once, and its place is free only when the worker is really gone', async () => {
    const clock = fakeClock()
    const workers = compartment({ timeout: '1s', maxQueued: 1, clock })
    const flags = sharedFlags()
    const late = workers.run('spin', flags)
    late.catch(() => undefined)
    await begun(flags)
    const next = workers.run('add', { a: 1, b: 2 })
    await clock.advance('1s')
    expect(workers.status()).toMatchObject({ running: 1, queued: 1, workers: 1 })
    await expect(late).rejects.toMatchObject({ code: 'ERR_TIMEOUT', policy: 'worker-compartment' })
    expect(await next).toBe(3)
    expect(workers.status()).toMatchObject({ timeouts: 1, started: 2, workers: 1, running: 0, crashed: 0, failed: 1 })
  })

  it('is measured from when a worker has it, not from when it was queued', async () => {
    const clock = fakeClock()
    const workers = compartment({ timeout: '1s', maxQueued: 1, clock })
    const flags = sharedFlags()
    const first = workers.run('spin', flags)
    first.catch(() => undefined)
    await begun(flags)
    await clock.advance('900ms')
    const second = sharedFlags()
    const waiting = workers.run('spin', second)
    waiting.catch(() => undefined)
    await clock.advance('100ms')
    await expect(first).rejects.toMatchObject({ code: 'ERR_TIMEOUT' })
    await begun(second)
    await clock.advance('999ms')
    expect(workers.status()).toMatchObject({ timeouts: 1, running: 1 })
    await clock.advance('1ms')
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_TIMEOUT' })
  })
})

describe('a caller who gives up', () => {
  it('ends the worker that computes for nobody', async () => {
    const workers = compartment()
    const events: WorkerCompartmentEvent[] = []
    workers.on((event) => events.push(event))
    const controller = new AbortController()
    const flags = sharedFlags()
    const answer = workers.run('spin', flags, { signal: controller.signal })
    answer.catch(() => undefined)
    await begun(flags)
    controller.abort(new Error('not wanted'))
    await expect(answer).rejects.toThrow('not wanted')
    expect(workers.status()).toMatchObject({ running: 1, workers: 1 })
    await until(() => workers.status().running === 0)
    expect(workers.status()).toMatchObject({ workers: 0, crashed: 0, failed: 0 })
    expect(events.map(({ type, ...event }) => [type, 'why' in event ? event.why : undefined])).toEqual([
      ['worker.started', undefined],
      ['worker.ended', 'cancelled'],
    ])
    expect(await workers.run('add', { a: 1, b: 1 })).toBe(2)
  })

  it('while waiting leaves the queue, and costs no worker', async () => {
    const clock = fakeClock()
    const workers = compartment({ maxQueued: 1, clock })
    const flags = sharedFlags()
    workers.run('spin', flags).catch(() => undefined)
    await begun(flags)
    const answer = workers.run('add', { a: 1, b: 1 }, { deadline: '1s' })
    answer.catch(() => undefined)
    expect(workers.status().queued).toBe(1)
    await clock.advance('1s')
    await expect(answer).rejects.toMatchObject({ code: 'ERR_DEADLINE_EXCEEDED' })
    expect(workers.status()).toMatchObject({ queued: 0, running: 1, started: 1 })
  })
})

describe('workers with nothing to do', () => {
  it('are ended after idleAfter, the one that has rested for longest first, by one timer that keeps no process alive', async () => {
    const clock = fakeClock()
    const workers = compartment({ maxWorkers: 2, idleAfter: '10s', clock })
    await Promise.all([workers.run('add', { a: 1, b: 1 }), workers.run('add', { a: 1, b: 2 })])
    expect(workers.status()).toMatchObject({ workers: 2, idle: 2 })
    expect(clock.timers.map(({ ref }) => ref)).toEqual([false])
    await clock.advance('9s')
    await workers.run('add', { a: 1, b: 1 }) // one rests from here on
    await clock.advance('1s')
    await until(() => workers.status().workers === 1)
    await clock.advance('8s')
    expect(workers.status()).toMatchObject({ workers: 1, idle: 1 })
    await clock.advance('1s')
    await until(() => workers.status().workers === 0)
    expect(clock.timers).toEqual([])
    expect(await workers.run('add', { a: 1, b: 1 })).toBe(2)
    expect(workers.status()).toMatchObject({ started: 3 })
  })

  it('are ended when there are more of them than a new maxWorkers', async () => {
    const workers = compartment({ maxWorkers: 2, idleAfter: Infinity })
    await Promise.all([workers.run('add', { a: 1, b: 1 }), workers.run('add', { a: 1, b: 2 })])
    expect(() => workers.reconfigure({ maxWorkers: 1, timeout: 'soon' as never })).toThrow(/timeout/)
    expect(workers.status()).toMatchObject({ maxWorkers: 2, idle: 2 })
    workers.reconfigure({ maxWorkers: 1 })
    expect(workers.status()).toMatchObject({ maxWorkers: 1, idle: 1 })
    await until(() => workers.status().workers === 1)
  })
})

describe('disposing', () => {
  it('114: turns waiters and later jobs away, ends the worker of the running job, and is done when it is gone', async () => {
    const workers = compartment({ maxQueued: 1 })
    const flags = sharedFlags()
    const running = workers.run('spin', flags)
    const waiting = workers.run('add', { a: 1, b: 1 })
    for (const answer of [running, waiting]) answer.catch(() => undefined)
    await begun(flags)
    await workers[Symbol.asyncDispose]()
    expect(workers.status()).toMatchObject({ workers: 0, running: 0, queued: 0 })
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_DISPOSED' })
    await expect(running).rejects.toMatchObject({ code: 'ERR_DISPOSED' })
    await expect(workers.run('add', { a: 1, b: 1 })).rejects.toMatchObject({ code: 'ERR_DISPOSED' })
    await workers.dispose()
  })
})

describe('options', () => {
  const module = new URL('tasks.fixture.mjs', import.meta.url)
  it.each([
    ['no module', {}, /'module' must be a URL, as new URL/],
    ['a relative path', { module: './tasks.js' }, /'module' must be a URL.*got "\.\/tasks\.js"/],
    ['no worker', { module, maxWorkers: 0 }, /'maxWorkers' must be a whole number from 1 to 1000, got 0/],
    ['a bad queue', { module, maxQueued: -1 }, /'maxQueued'/],
    ['a bad idleAfter', { module, idleAfter: 'x' }, /'idleAfter'/],
    ['a bad timeout', { module, timeout: 0 }, /'after'|'timeout'/],
    ['an unknown one', { module, workers: 2 }, /there is no option 'workers'/],
  ])('refuses %s', (_what, options, message) => {
    expect(() => workerCompartment(options as never)).toThrow(message)
  })

  it('may give the module as an absolute path, and are described as plain data', async () => {
    const workers = compartment({ module: module.pathname, name: 'parsing', maxQueued: 2, maxWait: '1s', timeout: '5s' })
    expect(await workers.run('add', { a: 1, b: 1 })).toBe(2)
    expect(workers.describe()).toEqual({
      kind: 'worker-compartment',
      name: 'parsing',
      module: module.href,
      maxWorkers: 1,
      maxQueued: 2,
      maxWaitMs: 1_000,
      timeoutMs: 5_000,
    })
    workers.resetStatistics()
    expect(workers.status()).toMatchObject({ admitted: 0, succeeded: 0 })
  })
})
