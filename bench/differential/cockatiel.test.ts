import * as cockatiel from 'cockatiel'
import { bulkhead, circuitBreaker, fallback, retry, timeout, type CircuitBreakerOptions } from 'holdfast'
import { describe, it } from 'vitest'
import { advance, callsOf, expectTheSame, stepsOf, type Endings, type Pairing } from './compare.fixture.ts'
import type { Happened, Subject, View } from './scene.fixture.ts'
import { ofCockatiel, ofOurs } from './subjects.fixture.ts'

const peer = 'cockatiel 3.2.1'
const openForMs = 20
const stateNames = ['closed', 'open', 'half-open', 'isolated']

const ourBreaker = (options: CircuitBreakerOptions<never>): Pairing['ours'] => {
  return (clock) => {
    const breaker = circuitBreaker({ ...options, successThreshold: 1, openFor: openForMs, probeTimeout: '1h', clock })
    return ofOurs(breaker, breaker)
  }
}

const theirBreaker = (breaker: () => cockatiel.IBreaker): Subject => {
  const policy = cockatiel.circuitBreaker(cockatiel.handleAll, { halfOpenAfter: openForMs, breaker: breaker() })
  return ofCockatiel(policy, () => stateNames[policy.state] as string)
}

const breakerViews: Pairing['views'] = {
  'lazy state': (theirs: View, ours: View) =>
    theirs.state === 'open' && ours.state === 'open, over' ? { ...theirs, state: 'open, over' } : theirs,
}

const ranOf = ({ before, theirs, ours }: Happened): boolean =>
  before.ours.answers.some((answer, call) => answer === 'pending' && (ours.answers[call] === 'left' || theirs.answers[call] === 'left'))

const isOpenedOnlyByUs = ({ ours, theirs }: Happened): boolean => ours.state === 'open' && theirs.state === 'closed'

/** The call at which the share of failures is reached by at least four. */
function firstTrip(ended: Happened['ended']): { readonly by: 'ok' | 'fail'; readonly share: number } | undefined {
  for (let calls = 4; calls <= ended.length; calls++) {
    const share = ended.slice(0, calls).filter((how) => how === 'fail').length / calls
    if (share >= 0.5) return { by: ended[calls - 1] as 'ok' | 'fail', share }
  }
  return undefined
}

const breakerEndings: Endings = {
  'callers beside the probe': ({ besideProbe, ours, theirs }) =>
    besideProbe.length > 0 && besideProbe.every((call) => ours.answers[call] === 'refused' && theirs.answers[call] !== 'refused'),
  'late results': ({ staleEnding }) => staleEnding,
  'callers who leave': (happened) => happened.step.do === 'abort' && ranOf(happened),
}

const steps = stepsOf({
  kinds: ['ok', 'fail', 'fail', 'fail', 'slow ok', 'slow fail', 'slow fail'],
  atOnce: 4,
  advance: [1, 10, 19, 20, 30],
  abort: 1,
})

describe('cockatiel', () => {
  it('consecutive failures', () =>
    expectTheSame({
      name: 'consecutive',
      peer,
      ours: ourBreaker({ consecutiveFailures: 3 }),
      theirs: () => theirBreaker(() => new cockatiel.ConsecutiveBreaker(3)),
      steps,
      examples: [[callsOf('slow fail'), callsOf('fail', 'fail', 'fail'), advance(20), callsOf('slow ok'), advance(10)]],
      views: breakerViews,
      endings: breakerEndings,
    }))

  it('share of failures', () =>
    expectTheSame({
      name: 'sampling',
      peer,
      ours: ourBreaker({ failureRatio: 0.5, minimumCalls: 4, failureWindow: 10_000 }),
      theirs: () => theirBreaker(() => new cockatiel.SamplingBreaker({ threshold: 0.5, duration: 10_000, minimumRps: 0.4 })),
      steps: stepsOf({
        kinds: ['ok', 'ok', 'fail', 'fail', 'slow ok', 'slow fail'],
        atOnce: 4,
        advance: [1, 10, 19, 20, 30, 1_000, 11_000],
        abort: 1,
      }),
      views: breakerViews,
      endings: {
        ...breakerEndings,
        'the probe in the window': ({ hasClosed, ours, theirs }) => hasClosed && ours.state !== theirs.state,
        'one old part at a time': ({ passedMs, ours, theirs }) => passedMs >= 1_000 && ours.state !== theirs.state,
        'success that completes the minimum': (happened) => isOpenedOnlyByUs(happened) && firstTrip(happened.ended)?.by === 'ok',
        'at the ratio': (happened) => isOpenedOnlyByUs(happened) && firstTrip(happened.ended)?.share === 0.5,
      },
    }))

  it.each([
    ['constant', { backoff: 'constant', initialDelay: 20 }, () => new cockatiel.ConstantBackoff(20)],
    [
      'exponential',
      { backoff: 'exponential', initialDelay: 20, factor: 2, maxDelay: 50 },
      () => new cockatiel.ExponentialBackoff({ initialDelay: 20, exponent: 2, maxDelay: 50, generator: cockatiel.noJitterGenerator }),
    ],
  ] as const)('retries, back-off %s', (_, options, backoff) =>
    expectTheSame({
      name: 'retry',
      peer,
      ours: (clock) => ofOurs(retry({ ...options, jitter: 'none', maxRetries: 3, retryOn: () => true, clock })),
      theirs: () => ofCockatiel(cockatiel.retry(cockatiel.handleAll, { maxAttempts: 3, backoff: backoff() })),
      steps: stepsOf({
        kinds: ['ok', 'fail', 'fail', 'fail', 'slow ok', 'slow fail'],
        attempts: 5,
        atOnce: 3,
        advance: [1, 19, 20, 40, 200],
        abort: 1,
      }),
      endings: {
        'retries after the caller left': ({ step, ours, theirs, before }) =>
          step.do === 'abort' &&
          ours.answers.some(
            (answer, call) => answer === 'left' && before.ours.answers[call] === 'pending' && theirs.answers[call] === 'pending',
          ),
      },
    }),
  )

  it('places and queue of a bulkhead', () =>
    expectTheSame({
      name: 'bulkhead',
      peer,
      ours: (clock) => ofOurs(bulkhead({ maxConcurrent: 2, maxQueued: 2, clock })),
      theirs: () => ofCockatiel(cockatiel.bulkhead(2, 2)),
      steps: stepsOf({ kinds: ['ok', 'fail', 'slow ok', 'slow ok', 'slow fail'], atOnce: 6, advance: [1, 15, 30, 100], abort: 1 }),
      endings: {
        'queued callers who leave': ({ step, ours, before }) =>
          step.do === 'abort' &&
          ours.answers.some((answer, call) => answer === 'left' && before.ours.answers[call] === 'pending' && ours.runs[call] === 0),
      },
    }))

  it('timeouts', () =>
    expectTheSame({
      name: 'timeout',
      peer,
      ours: (clock) => ofOurs(timeout({ after: 50, clock })),
      theirs: () => ofCockatiel(cockatiel.timeout(50, cockatiel.TimeoutStrategy.Aggressive)),
      steps: stepsOf({ kinds: ['ok', 'fail', 'slow ok', 'slow fail', 'hang', 'deaf'], atOnce: 3, advance: [1, 29, 30, 49, 50], abort: 2 }),
      views: {
        'what a timeout throws': (theirs, ours) => ({
          ...theirs,
          answers: theirs.answers.map((answer, call) => (answer === 'left' && ours.answers[call] === 'too late' ? 'too late' : answer)),
        }),
      },
      endings: {
        'abort or timeout': ({ step, ours, theirs }) =>
          step.do === 'abort' && ours.answers.some((answer, call) => answer === 'left' && theirs.answers[call] === 'too late'),
      },
    }))

  it('fallbacks', () =>
    expectTheSame({
      name: 'fallback',
      peer,
      ours: (clock) => ofOurs(fallback({ value: 'kept', clock })),
      theirs: () => ofCockatiel(cockatiel.fallback(cockatiel.handleAll, 'kept')),
      steps: stepsOf({ kinds: ['ok', 'fail', 'slow ok', 'slow fail'], atOnce: 3, advance: [1, 29, 30], abort: 2 }),
      endings: {
        'a substitute for nobody': ({ step, ours, theirs }) =>
          step.do === 'abort' && ours.answers.some((answer, call) => answer === 'left' && theirs.answers[call] === 'kept'),
      },
    }))
})
