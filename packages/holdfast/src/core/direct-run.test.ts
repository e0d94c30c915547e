import { bulkhead, circuitBreaker, pipeline, policy, type Call, type Gate } from 'holdfast'
import { describe, expect, it } from 'vitest'

const failing = (error: unknown) => (): Promise<never> => Promise.reject(error)

/** A gate that can say at once that a call may go on, and tells what it was asked. */
function promptGate(name: string, log: string[], admitNow: () => unknown = () => name): Gate {
  return {
    kind: 'gate',
    admitNow,
    admit: () => {
      log.push(`${name} admit`)
      return name
    },
    settle: (_permit, ok) => void log.push(`${name} settle ${ok}`),
    leave: () => void log.push(`${name} leave`),
  }
}

function through(...gates: Gate[]): ReturnType<typeof policy> {
  return policy({ name: 'prompt', parts: gates })
}

describe('calls that all gates admit at once', () => {
  it('111: calls within calls, and calls beside calls, keep what is theirs apart', async () => {
    const outer = pipeline(circuitBreaker({ name: 'outer' }), bulkhead({ name: 'outer places', maxConcurrent: 50 }))
    const inner = bulkhead({ maxConcurrent: 50 })
    const seen = new Set<Call>()
    const nested = (depth: number): Promise<string> =>
      outer.execute(async (call) => {
        seen.add(call)
        if (depth === 0) return 'bottom'
        await inner.execute(() => Promise.resolve())
        return `${depth} ${await nested(depth - 1)}`
      })
    const answers = await Promise.all([nested(3), nested(1), nested(2)])
    expect(answers).toEqual(['3 2 1 bottom', '1 bottom', '2 1 bottom'])
    expect(seen.size).toBe(9)
    expect(outer.policies.map((each) => (each as ReturnType<typeof bulkhead>).status())).toMatchObject([
      { successTotal: 9, failureTotal: 0 },
      { succeeded: 9, failed: 0, running: 0 },
    ])
    expect(inner.status()).toMatchObject({ succeeded: 6, running: 0 })
  })

  it('a gate that cannot say so is asked in full, and the permits of those before it are kept', async () => {
    const log: string[] = []
    const gates = [promptGate('first', log), promptGate('second', log, () => undefined), promptGate('third', log)]
    expect(await through(...gates).execute(() => 5)).toBe(5)
    expect(log).toEqual([
      'second admit',
      'third admit',
      'third settle true',
      'second settle true',
      'first settle true',
      'third leave',
      'second leave',
      'first leave',
    ])
  })

  it('a gate that breaks rejects the call, and those before it get their permits back', async () => {
    const log: string[] = []
    const broken = new TypeError('broken gate')
    const breaks = (): never => {
      throw broken
    }
    await expect(through(promptGate('first', log), promptGate('second', log, breaks)).execute(() => 5)).rejects.toBe(broken)
    expect(log).toEqual(['first settle false', 'first leave'])
  })

  it('a place is kept until a body has ended that was announced while the function ran', async () => {
    const places = bulkhead({ maxConcurrent: 1 })
    let endBody = (): void => undefined
    const body = new Promise<void>((resolve) => (endBody = resolve))
    await places.execute(async (call) => {
      await Promise.resolve()
      call.until(body)
    })
    expect(places.status()).toMatchObject({ running: 1, succeeded: 0 })
    endBody()
    await body
    await Promise.resolve()
    expect(places.status()).toMatchObject({ running: 0, succeeded: 1 })
  })

  it('a body that fails after the answer is a failure', async () => {
    const breaker = circuitBreaker({ failureThreshold: 1 })
    let breakBody = (_error: unknown): void => undefined
    await breaker.execute(async (call) => {
      await Promise.resolve()
      call.until(new Promise((_resolve, reject) => (breakBody = reject)))
    })
    expect(breaker.status()).toMatchObject({ state: 'closed', successTotal: 0 })
    breakBody(new Error('cut'))
    await new Promise(setImmediate)
    expect(breaker.status()).toMatchObject({ state: 'open', failureTotal: 1 })
  })

  it('takes a promise with a `then` of its own for what it is: a promise', async () => {
    const answer = Object.assign(Promise.resolve(7), { then: () => 'not a promise' })
    const places = bulkhead({ maxConcurrent: 1 })
    const given = places.execute(() => answer)
    expect(given).toBeInstanceOf(Promise)
    expect(places.status().running).toBe(1)
    expect(await given).toBe(7)
    expect(places.status().running).toBe(0)
  })

  it('a call that somebody keeps says nothing of later ones', async () => {
    const breaker = circuitBreaker()
    const kept: Call[] = []
    await breaker.execute((call) => void kept.push(call))
    await breaker.execute(async () => {
      kept[0]?.doNotRetry()
      kept[0]?.until(Promise.reject(new Error('late')))
      await Promise.resolve()
    })
    expect(kept[0]?.signal.aborted).toBe(false)
    expect(breaker.status()).toMatchObject({ successTotal: 2, failureTotal: 0 })
  })

  it('failures and refusals reach the caller as they are', async () => {
    const error = new Error('mine')
    const breaker = circuitBreaker({ failureThreshold: 2, openFor: '1s' })
    await expect(breaker.execute(failing(error))).rejects.toBe(error)
    await expect(
      breaker.execute(() => {
        throw error
      }),
    ).rejects.toBe(error)
    await expect(breaker.execute(() => 1)).rejects.toMatchObject({ code: 'ERR_CIRCUIT_OPEN' })
  })
})
