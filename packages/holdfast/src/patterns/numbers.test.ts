import { bulkhead, circuitBreaker, fallback, isHoldfastError, rateLimiter, retry, retryBudget, timeout } from 'holdfast'
import { describe, expect, it } from 'vitest'

/** Every numeric option, with a set of options that is right but for it. */
const options: [name: string, make: (value: unknown) => unknown, also?: readonly unknown[]][] = [
  ['failureThreshold', (value) => circuitBreaker({ failureThreshold: value } as never)],
  ['failureWindow', (value) => circuitBreaker({ failureWindow: value } as never)],
  ['consecutiveFailures', (value) => circuitBreaker({ consecutiveFailures: value } as never)],
  ['failureRatio', (value) => circuitBreaker({ failureRatio: value } as never), [1.5]],
  ['minimumCalls', (value) => circuitBreaker({ failureRatio: 0.5, minimumCalls: value } as never)],
  ['windowCalls', (value) => circuitBreaker({ failureRatio: 0.5, minimumCalls: 1, windowCalls: value } as never), [1e9]],
  ['successThreshold', (value) => circuitBreaker({ successThreshold: value } as never)],
  ['openForFactor', (value) => circuitBreaker({ openForFactor: value } as never)],
  ['openForJitter', (value) => circuitBreaker({ openForJitter: value } as never), [2]],
  ['maxConcurrent', (value) => bulkhead({ maxConcurrent: value } as never)],
  ['maxQueued', (value) => bulkhead({ maxConcurrent: 1, maxQueued: value } as never)],
  ['window', (value) => rateLimiter({ limit: 1, window: value } as never)],
  ['burst', (value) => rateLimiter({ limit: 1, algorithm: 'gcra', burst: value } as never)],
  ['maxKeys', (value) => rateLimiter({ limit: 1, maxKeys: value } as never)],
  ['factor', (value) => retry({ factor: value } as never)],
  ['minRemaining', (value) => retry({ minRemaining: value } as never)],
  ['ratio', (value) => retryBudget({ ratio: value } as never), [1e9]],
  ['ttl', (value) => retryBudget({ ttl: value } as never), ['2d']],
]

describe('S78: numbers that are none, negative or endless', () => {
  it.each(options.map(([name, make, also = []]) => ({ name, make, also })))(
    '$name throws a typed error that names the option',
    ({ name, make, also }) => {
      for (const value of [Number.NaN, -1, -Infinity, Infinity, '10 parsecs', ...also]) {
        let thrown: unknown
        try {
          make(value)
        } catch (error) {
          thrown = error
        }
        expect(isHoldfastError(thrown, 'ERR_INVALID_OPTION'), `${name}: ${String(value)}`).toBe(true)
        expect((thrown as Error).message).toContain(`option '${name}'`)
      }
    },
  )

  it.each<[string, (value: unknown) => unknown]>([
    ['after', (value) => timeout({ after: value } as never)],
    ['maxAttempts', (value) => retry({ maxAttempts: value } as never)],
    ['openFor', (value) => circuitBreaker({ openFor: value } as never)],
    ['limit', (value) => rateLimiter({ limit: value } as never)],
  ])('%s may be endless, but nothing else of the kind', (name, make) => {
    expect(() => make(Infinity)).not.toThrow()
    for (const value of [Number.NaN, -1, -Infinity]) expect(() => make(value)).toThrow(`option '${name}'`)
  })

  it('a fallback without an answer is named as well', () => {
    expect(() => fallback({ handler: 5 } as never)).toThrow("option 'handler'")
  })
})
