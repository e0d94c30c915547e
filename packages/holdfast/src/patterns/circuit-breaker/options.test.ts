import { circuitBreaker, isHoldfastError } from 'holdfast'
import { describe, expect, it } from 'vitest'

function messageOf(make: () => unknown): string {
  try {
    make()
  } catch (error) {
    if (isHoldfastError(error, 'ERR_INVALID_OPTION')) return error.message
    throw error
  }
  throw new Error('the options were accepted')
}

const duration = "a duration such as 250 (ms), '250ms', '30s', '5m', '2h' or '7d' of at least 1 ms"
const share = 'a share above 0, at most 1 (0.5 is 50 %)'
const list = 'a list of error classes, codes and statuses'
const together = "given together with 'failureRatio' or 'slowCallRatio'"

describe('a bad option is refused with its name, its value and what is allowed', () => {
  const refused: readonly (readonly [options: object, option: string, allowed: string, got: string])[] = [
    [{ failureThreshold: 0 }, 'failureThreshold', 'a whole number from 1 to 100000', '0'],
    [{ failureThreshold: 1.5 }, 'failureThreshold', 'a whole number from 1 to 100000', '1.5'],
    [{ failureThreshold: 100_001 }, 'failureThreshold', 'a whole number from 1 to 100000', '100001'],
    [{ failureThreshold: '5' }, 'failureThreshold', 'a whole number from 1 to 100000', '"5"'],
    [{ consecutiveFailures: 0 }, 'consecutiveFailures', 'a whole number from 1 up', '0'],
    [{ failureRatio: 0 }, 'failureRatio', share, '0'],
    [{ failureRatio: 50 }, 'failureRatio', share, '50'],
    [{ failureRatio: Number.NaN }, 'failureRatio', share, 'NaN'],
    [{ slowCallRatio: 1.1, slowCallDuration: 1 }, 'slowCallRatio', share, '1.1'],
    [{ slowCallRatio: 0.5 }, 'slowCallDuration', "given together with 'slowCallRatio'", 'undefined'],
    [{ slowCallDuration: '5s' }, 'slowCallDuration', "given together with 'slowCallRatio'", '"5s"'],
    [{ slowCallRatio: 0.5, slowCallDuration: 0 }, 'slowCallDuration', duration, '0'],
    [{ minimumCalls: 5 }, 'minimumCalls', together, '5'],
    [{ windowCalls: 5, failureThreshold: 2 }, 'windowCalls', together, '5'],
    [{ failureRatio: 0.5, minimumCalls: 0 }, 'minimumCalls', 'a whole number from 1 up', '0'],
    [{ failureRatio: 0.5, windowCalls: 0 }, 'windowCalls', 'a whole number from 1 to 1000000', '0'],
    [{ failureRatio: 0.5, windowCalls: 2e6 }, 'windowCalls', 'a whole number from 1 to 1000000', '2000000'],
    [{ failureWindow: '60' }, 'failureWindow', duration, '"60"'],
    [{ failureWindow: Infinity }, 'failureWindow', duration, 'Infinity'],
    [{ openFor: 0 }, 'openFor', `${duration}, or Infinity`, '0'],
    [{ openFor: '-1s' }, 'openFor', `${duration}, or Infinity`, '"-1s"'],
    [{ openFor: () => Number.NaN }, 'openFor', `${duration}, or Infinity`, 'NaN'],
    [{ openForFactor: 0.5 }, 'openForFactor', 'a number from 1 to 1000', '0.5'],
    [{ openForFactor: 2, openFor: () => '1s' }, 'openForFactor', "absent when 'openFor' is a function", '2'],
    [{ maxOpenFor: 0 }, 'maxOpenFor', `${duration}, or Infinity`, '0'],
    [{ openForJitter: 2 }, 'openForJitter', 'a share from 0 to 1 (0.5 is 50 %)', '2'],
    [{ successThreshold: 0 }, 'successThreshold', 'a whole number from 1 up', '0'],
    [{ probeTimeout: 0 }, 'probeTimeout', duration, '0'],
    [{ probeTimeout: Infinity }, 'probeTimeout', duration, 'Infinity'],
    [{ halfOpenFailureRatio: 0 }, 'halfOpenFailureRatio', share, '0'],
    [{ isFailure: 500 }, 'isFailure', `${list}, or a function`, '500'],
    [{ isFailure: [null] }, 'isFailure', list, 'null'],
    [{ ignore: 'ECONNRESET' }, 'ignore', `${list}, or a function`, '"ECONNRESET"'],
    [{ isFailureResult: [500] }, 'isFailureResult', 'a function', 'an array of 1'],
    [{ openOn: '30s' }, 'openOn', 'a function', '"30s"'],
    [{ mode: 'dark' }, 'mode', "one of 'enforce', 'metrics-only', 'disabled'", '"dark"'],
    [{ mode: 'enforced' }, 'mode', "one of 'enforce', 'metrics-only', 'disabled' (did you mean 'enforce'?)", '"enforced"'],
    [{ control: true }, 'control', 'a circuitControl()', 'true'],
    [{ control: null }, 'control', 'a circuitControl()', 'null'],
    [{ clock: Date }, 'clock', 'a Clock', 'a function'], // it has a `now`, and nothing else
    [{ clock: null }, 'clock', 'a Clock', 'null'],
    [{ random: 0.5 }, 'random', 'a function', '0.5'],
    [{ name: '' }, 'name', 'a text of 1 to 200 characters', '""'],
  ]
  for (const [options, option, allowed, got] of refused) {
    it(`${option}: ${got}`, () => {
      expect(messageOf(() => circuitBreaker(options))).toBe(`circuit-breaker: option '${option}' must be ${allowed}, got ${got}`)
    })
  }

  it.each([0, -1, Number.NaN, 1.5, Infinity, '2'])('26: a number of probes of %s', (halfOpenProbes) => {
    for (const ratio of [{}, { halfOpenFailureRatio: 0.5 }]) {
      const message = messageOf(() => circuitBreaker({ ...ratio, halfOpenProbes: halfOpenProbes as never }))
      expect(message).toContain("circuit-breaker: option 'halfOpenProbes' must be a whole number from 1 up, got ")
    }
  })

  it('under the name of the breaker', () => {
    expect(messageOf(() => circuitBreaker({ name: 'search', openFor: 'soon' as never }))).toMatch(/^search: option 'openFor' must be /)
  })

  it('unknown names are told with the nearest one that exists', () => {
    for (const [given, meant] of [
      ['failureTreshold', 'failureThreshold'],
      ['failure_threshold', 'failureThreshold'],
      ['sucessThreshold', 'successThreshold'],
      ['openfor', 'openFor'],
    ]) {
      expect(messageOf(() => circuitBreaker({ [given as string]: 5 }))).toContain(
        `circuitBreaker: there is no option '${given}' (did you mean '${meant}'?); allowed: failureThreshold, `,
      )
    }
    expect(messageOf(() => circuitBreaker({ resetTimeout: 5 } as never))).toContain("circuitBreaker: there is no option 'resetTimeout'")
    expect(messageOf(() => circuitBreaker(5 as never))).toBe('circuitBreaker: options must be an object, got 5')
  })

  it('a function for openFor that throws is heard at construction', () => {
    const openFor = (): never => {
      throw new RangeError('not ready')
    }
    expect(() => circuitBreaker({ openFor })).toThrow(RangeError)
  })
})

it('a list given as an option is not read again after it was changed', async () => {
  const isFailure: number[] = [500]
  const breaker = circuitBreaker({ failureThreshold: 1, isFailure })
  isFailure.length = 0
  await breaker.tryExecute(() => Promise.reject(Object.assign(new Error(), { status: 500 })))
  expect(breaker.state).toBe('open')
})

it('an option that is undefined is as if it were absent', () => {
  const names = [
    'failureThreshold',
    'consecutiveFailures',
    'failureRatio',
    'slowCallRatio',
    'slowCallDuration',
    'minimumCalls',
    'failureWindow',
    'windowCalls',
  ]
  const others = [
    'openFor',
    'openForFactor',
    'maxOpenFor',
    'openForJitter',
    'successThreshold',
    'halfOpenProbes',
    'halfOpenFailureRatio',
    'probeTimeout',
  ]
  const rest = ['name', 'isFailure', 'ignore', 'isFailureResult', 'openOn', 'fallback', 'mode', 'control', 'clock', 'random']
  const options = Object.fromEntries([...names, ...others, ...rest].map((name) => [name, undefined]))
  expect(circuitBreaker(options as never).describe()).toEqual(circuitBreaker().describe())
})
