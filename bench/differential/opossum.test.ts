import { bulkhead, circuitBreaker, pipeline, timeout } from 'holdfast'
import Opossum from 'opossum'
import { describe, it } from 'vitest'
import { expectTheSame, stepsOf } from './compare.fixture.ts'
import type { Happened, Subject } from './scene.fixture.ts'
import { ofOurs, wordOf } from './subjects.fixture.ts'

const minimum = 4
const ratio = 0.5

function theirs(): Subject {
  const breaker = new Opossum((run: (signal: undefined) => Promise<string>) => run(undefined), {
    errorThresholdPercentage: ratio * 100,
    volumeThreshold: minimum,
    rollingCountTimeout: 600_000,
    rollingCountBuckets: 10,
    rollingPercentilesEnabled: false,
    resetTimeout: 40,
    timeout: 50,
    capacity: 3,
  })
  return {
    state: () => (breaker.opened ? 'open' : breaker.halfOpen ? (breaker.pendingClose ? 'open, over' : 'half-open') : 'closed'),
    call: (run) => breaker.fire(run).then(String, wordOf),
  }
}

const isOpenIn = (happened: Happened, side: 'ours' | 'theirs'): boolean => happened[side].state.startsWith('open')
const differs = ({ ours, theirs: other }: Happened): boolean => ours.state !== other.state
/** A call for which we had no place was refused by the peer's circuit, which has opened meanwhile. */
const isRefusedThere = ({ ours, theirs: other }: Happened): boolean =>
  ours.answers.some((answer, call) => answer === 'full' && other.answers[call] === 'refused')
const failedOf = ({ ended }: Happened): number => ended.filter((how) => how === 'fail').length
const countOf = ({ ours }: Happened, word: string): number => ours.answers.filter((answer) => answer === word).length

describe('opossum', () => {
  it('percentage of errors with a volume threshold, timeout and capacity', () =>
    expectTheSame({
      name: 'percentage',
      peer: 'opossum 9.0.0',
      ours: (clock) => {
        const breaker = circuitBreaker({
          failureRatio: ratio,
          minimumCalls: minimum,
          failureWindow: '10m',
          successThreshold: 1,
          openFor: 40,
          probeTimeout: '1h',
          clock,
        })
        return ofOurs(pipeline(breaker, bulkhead({ maxConcurrent: 3, clock }), timeout({ after: 50, clock })), breaker)
      },
      theirs,
      steps: stepsOf({ kinds: ['ok', 'fail', 'fail', 'slow ok', 'slow fail', 'deaf'], atOnce: 5, advance: [10, 10, 30, 40, 50] }),
      grainMs: 10,
      endings: {
        'late results decide': ({ staleEnding }) => staleEnding,
        'failures from before the outage': (happened) => happened.hasClosed && differs(happened),
        'no place is a failure': (happened) => countOf(happened, 'full') > 0 && (differs(happened) || isRefusedThere(happened)),
        'places of abandoned work': (happened) =>
          countOf(happened, 'too late') > 0 &&
          happened.ours.answers.some((answer, call) => answer === 'full' && happened.theirs.answers[call] !== 'full'),
        'at the percentage': (happened) =>
          isOpenIn(happened, 'ours') &&
          !isOpenIn(happened, 'theirs') &&
          (failedOf(happened) + countOf(happened, 'too late')) / (happened.ended.length + countOf(happened, 'too late')) === ratio,
        'success after failures': (happened) =>
          isOpenIn(happened, 'ours') && !isOpenIn(happened, 'theirs') && happened.ended.at(-1) === 'ok',
        'calls that have not ended': (happened) =>
          differs(happened) && (happened.ours.answers.includes('pending') || happened.before.ours.answers.includes('pending')),
      },
    }))
})
