import { isHoldfastError } from 'holdfast'
import { afterEach, describe, expect, it } from 'vitest'
import { begun, compartment, endAll, letGo, sharedFlags, until } from './worker-scene.fixture.ts'
import { workerCompartment } from './index.ts'

afterEach(endAll)

describe('a job', () => {
  it('runs in another thread, with a copy of its input, and answers', async () => {
    const workers = compartment()
    expect(await workers.run('add', { a: 1, b: 2 })).toBe(3)
    expect(await workers.run('where', undefined)).toMatchObject({ call: 1, threadId: expect.any(Number) })
  })

  it('is done by the worker that rested, which loads its module once', async () => {
    const workers = compartment({ maxWorkers: 3 })
    const first = await workers.run('where', undefined)
    expect(await workers.run('where', undefined)).toEqual({ ...first, call: 2 })
    expect(workers.status()).toMatchObject({ workers: 1, idle: 1, started: 1, admitted: 2, succeeded: 2 })
  })

  it('leaves the event loop free while it computes', async () => {
    const workers = compartment()
    const flags = sharedFlags()
    const answer = workers.run('hold', flags)
    await begun(flags)
    expect(workers.status()).toMatchObject({ running: 1, idle: 0 })
    letGo(flags)
    expect(await answer).toEqual(expect.any(Number))
  })

  it('takes what is transferred, instead of copying it, there and back', async () => {
    const workers = compartment()
    const buffer = new ArrayBuffer(1_024)
    expect(await workers.run('size', buffer, { transfer: [buffer] })).toBe(1_024)
    expect(buffer.byteLength).toBe(0)
    expect((await workers.run('make', 64)).byteLength).toBe(64)
  })
})

describe('places', () => {
  it('are as many as there may be workers; others wait, and are refused beyond the queue', async () => {
    const workers = compartment({ maxWorkers: 2, maxQueued: 1 })
    const flags = [sharedFlags(), sharedFlags(), sharedFlags()]
    const answers = flags.map((each) => workers.run('hold', each))
    await Promise.all([begun(flags[0]!), begun(flags[1]!)])
    await expect(workers.run('add', { a: 1, b: 1 })).rejects.toMatchObject({ code: 'ERR_BULKHEAD_FULL', policy: 'worker-compartment' })
    expect(workers.status()).toMatchObject({ workers: 2, running: 2, queued: 1, rejected: 1 })
    expect(workers.health()).toMatchObject({ status: 'warn' })
    for (const each of flags) letGo(each)
    expect(new Set(await Promise.all(answers)).size).toBe(2)
    expect(workers.status()).toMatchObject({ started: 2, running: 0, queued: 0 })
  })
})

describe('a failure', () => {
  it('keeps class, message, stack, own properties and causes of an error', async () => {
    const error = await compartment()
      .run('fail', 'typed')
      .then(undefined, (thrown: unknown) => thrown as RangeError & { status: number })
    expect(error).toBeInstanceOf(RangeError)
    expect(error).toMatchObject({
      name: 'RangeError',
      message: 'too large',
      status: 413,
      cause: { message: 'socket closed', code: 'ECONNRESET' },
    })
    expect(error).not.toHaveProperty('retry')
    expect((error as RangeError).stack).toContain('tasks.fixture.mjs')
    expect(Object.keys(error as object)).toEqual(['status'])
  })

  it('keeps the name of an error that is of no built-in class', async () => {
    await expect(compartment().run('failNamed', 'QuotaError')).rejects.toMatchObject({ name: 'QuotaError', message: 'own' })
    await expect(compartment().run('failNamed', 'constructor')).rejects.toMatchObject({ name: 'constructor', message: 'own' })
  })

  it.each([['a text'], [{ code: 7 }], [null], [undefined]])('may be a value that is no error: %j', async (thrown) => {
    const outcome = await compartment()
      .run('fail', thrown)
      .then(
        () => 'answered',
        (reason: unknown) => ({ reason }),
      )
    expect(outcome).toEqual({ reason: thrown })
  })

  it('of one job leaves the worker to the next', async () => {
    const workers = compartment()
    await expect(workers.run('fail', 'once')).rejects.toBe('once')
    expect(await workers.run('add', { a: 2, b: 2 })).toBe(4)
    expect(workers.status()).toMatchObject({ started: 1, failed: 1, succeeded: 1, failureRate: 0.5 })
  })

  it('says which tasks there are when there is none of the name', async () => {
    const problem = compartment().run('ad' as never, undefined as never)
    await expect(problem).rejects.toMatchObject({ code: 'ERR_UNKNOWN_NAME' })
    await expect(problem).rejects.toThrow(/exports no function "ad"; it exports: add, crash, exit,/)
    await expect(compartment().run('limit' as never, undefined as never)).rejects.toThrow(/exports no function "limit"/)
    await expect(compartment().run('toString' as never, undefined as never)).rejects.toThrow(/exports no function "toString"/)
    await expect(compartment().run(5 as never, undefined as never)).rejects.toThrow('the task must be a name, got 5')
  })

  it('of an input or a result that cannot travel names the reason, and costs no worker', async () => {
    const workers = compartment()
    await expect(workers.run('size', (() => 1) as never)).rejects.toThrow(/could not be cloned/)
    await expect(workers.run('functionOut', undefined)).rejects.toThrow(/could not be cloned/)
    expect(await workers.run('add', { a: 1, b: 1 })).toBe(2)
    expect(workers.status()).toMatchObject({ started: 1, crashed: 0, running: 0 })
  })

  it('to load the module is told to every job', async () => {
    const workers = workerCompartment({ module: new URL('missing.fixture.mjs', import.meta.url), maxWorkers: 1 })
    await expect(workers.run('add', 1)).rejects.toMatchObject({ code: 'ERR_MODULE_NOT_FOUND' })
    await expect(workers.run('add', 1)).rejects.toThrow(/missing\.fixture\.mjs/)
    expect(workers.status().workers).toBe(1)
    await workers.dispose()
  })
})

describe('a worker that crashes', () => {
  it.each([
    ['an exit', 'exit', /the worker ended before it answered "exit": it exited with code 3/, undefined],
    ['an error that nobody caught', 'crash', /answered "crash": nobody caught this/, { message: 'nobody caught this' }],
    ['too little memory', 'fillMemory', /memory/, { code: 'ERR_WORKER_OUT_OF_MEMORY' }],
  ] as const)('by %s fails its job alone, and another takes its place', async (_how, task, message, cause) => {
    const workers = compartment({
      maxWorkers: 2,
      maxQueued: 1,
      resourceLimits: { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 8 },
    })
    const flags = sharedFlags()
    const neighbour = workers.run('hold', flags)
    await begun(flags)
    const error: unknown = await workers.run(task, undefined).then(undefined, (thrown: unknown) => thrown)
    expect(isHoldfastError(error, 'ERR_WORKER_LOST')).toBe(true)
    expect((error as Error).message).toMatch(message)
    if (cause !== undefined) expect((error as Error).cause).toMatchObject(cause)
    expect(workers.status()).toMatchObject({ workers: 1, crashed: 1, running: 1, failed: 1 })
    expect(await workers.run('add', { a: 1, b: 2 })).toBe(3)
    letGo(flags)
    await neighbour
    await until(() => workers.status().idle === 2)
  })
})
