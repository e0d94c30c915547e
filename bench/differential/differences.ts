/** What Holdfast does otherwise than a peer, on purpose. The tests accept nothing else; docs/differences.md is made of it. */
export interface Difference {
  readonly id: string
  /** Name and version. */
  readonly peer: 'cockatiel 3.2.1' | 'opossum 9.0.0'
  /** Which of the comparisons meet it. */
  readonly pairings: readonly string[]
  readonly ours: string
  readonly theirs: string
  readonly reason: string
  /** Numbers of the acceptance checklist. */
  readonly checklist: readonly number[]
}

const cockatiel = 'cockatiel 3.2.1' as const
const opossum = 'opossum 9.0.0' as const

export const differences = [
  {
    id: 'lazy state',
    peer: cockatiel,
    pairings: ['consecutive', 'sampling'],
    ours: 'A circuit whose open time is over reads as half-open.',
    theirs: 'It reads as open until a call comes.',
    reason: 'Dashboards and load balancers read the state, and have to see that calls are let in again.',
    checklist: [43],
  },
  {
    id: 'callers beside the probe',
    peer: cockatiel,
    pairings: ['consecutive', 'sampling'],
    ours: 'While the permitted probes run, further callers are refused.',
    theirs: 'They wait for the probe, however long it takes, and then try again; their signal is lost on the way.',
    reason: 'A thousand callers waiting for a hanging probe are the outage the circuit should end.',
    checklist: [24, 31],
  },
  {
    id: 'late results',
    peer: cockatiel,
    pairings: ['consecutive', 'sampling'],
    ours: 'A call that began in an earlier state decides nothing when it ends.',
    theirs: 'A late failure reopens a half-open circuit, and counts in a closed one; a late success ends a row of failures.',
    reason: 'Results from before the outage say nothing about the time after it.',
    checklist: [27, 28],
  },
  {
    id: 'callers who leave',
    peer: cockatiel,
    pairings: ['consecutive', 'sampling'],
    ours: "The caller's abort is no failure of what was called, and a probe that was aborted gives its place back.",
    theirs: 'What the function throws because of the abort counts as a failure.',
    reason: 'A user who closes the page must not open the circuit for all others.',
    checklist: [14, 32],
  },
  {
    id: 'at the ratio',
    peer: cockatiel,
    pairings: ['sampling'],
    ours: 'Opens when the share of failures reaches the ratio.',
    theirs: 'Opens when it is above it.',
    reason: 'Half of the calls is what 0.5 says.',
    checklist: [1],
  },
  {
    id: 'success that completes the minimum',
    peer: cockatiel,
    pairings: ['sampling'],
    ours: 'The rate is looked at after every call, so a success that completes the minimum opens a circuit whose rate is too high.',
    theirs: 'It is looked at after failures only.',
    reason: 'The rate is what counts, not which call came last.',
    checklist: [1, 2],
  },
  {
    id: 'one old part at a time',
    peer: cockatiel,
    pairings: ['sampling'],
    ours: 'What is older than the window does not count.',
    theirs: 'Each call forgets one part of the window at most, so that after a pause failures far older than the window still count.',
    reason: 'An outage of last night must not open the circuit in the morning.',
    checklist: [5, 6],
  },
  {
    id: 'the probe in the window',
    peer: cockatiel,
    pairings: ['sampling'],
    ours: 'A circuit that closes begins with an empty window.',
    theirs: 'The success of the probe is the first call of the new window.',
    reason: 'A minimum of calls means calls of the state that is judged.',
    checklist: [36],
  },
  {
    id: 'retries after the caller left',
    peer: cockatiel,
    pairings: ['retry'],
    ours: "The caller's abort ends a delay at once, and the function does not run again.",
    theirs: 'The delay is waited out, and the function is called once more for a caller who has left.',
    reason: 'Nobody waits for the answer, and work without a reader is load.',
    checklist: [55],
  },
  {
    id: 'queued callers who leave',
    peer: cockatiel,
    pairings: ['bulkhead'],
    ours: 'A caller who leaves the queue hears it at once, and the seat is free.',
    theirs: 'The call keeps its seat until its turn comes, and hears of it then.',
    reason: 'Seats held by callers who have left keep out those who still wait.',
    checklist: [83],
  },
  {
    id: 'what a timeout throws',
    peer: cockatiel,
    pairings: ['timeout'],
    ours: 'A call that took too long ends with ERR_TIMEOUT, whatever the function throws when its signal is aborted.',
    theirs: 'A function that honours its signal wins the race with its own AbortError.',
    reason: 'Callers and retries have to know a timeout from an abort, whether the function cooperates or not.',
    checklist: [73],
  },
  {
    id: 'abort or timeout',
    peer: cockatiel,
    pairings: ['timeout'],
    ours: 'A caller who leaves gets the reason of the abort; a timeout has an error of its own.',
    theirs: 'Both are the same TaskCancelledError.',
    reason: 'Only one of them says anything about the dependency.',
    checklist: [73],
  },
  {
    id: 'a substitute for nobody',
    peer: cockatiel,
    pairings: ['fallback'],
    ours: 'A caller who has left gets the reason of the abort.',
    theirs: 'The fallback is made and answered.',
    reason: 'Nobody is there to read it, and it would count as a success.',
    checklist: [77],
  },
  {
    id: 'at the percentage',
    peer: opossum,
    pairings: ['percentage'],
    ours: 'Opens when the share of failures reaches the ratio.',
    theirs: 'Opens when it is above it.',
    reason: 'Half of the calls is what 0.5 says.',
    checklist: [1],
  },
  {
    id: 'calls that have not ended',
    peer: opossum,
    pairings: ['percentage'],
    ours: 'Minimum and rate are those of the calls that have ended.',
    theirs: 'Calls in flight, and calls refused while the circuit was open, count as calls that did not fail.',
    reason: 'Calls that hang would hide the failures of the others, just when it matters.',
    checklist: [2],
  },
  {
    id: 'success after failures',
    peer: opossum,
    pairings: ['percentage'],
    ours: 'The rate is looked at after every call, so a success that completes the minimum opens a circuit whose rate is too high.',
    theirs: 'It is looked at after failures only.',
    reason: 'The rate is what counts, not which call came last.',
    checklist: [1, 2],
  },
  {
    id: 'failures from before the outage',
    peer: opossum,
    pairings: ['percentage'],
    ours: 'A circuit that closes begins with an empty window.',
    theirs: 'The window keeps what it held, so that one failure may reopen a circuit that has just closed.',
    reason: 'The probes have shown that those failures are over.',
    checklist: [27, 36],
  },
  {
    id: 'late results decide',
    peer: opossum,
    pairings: ['percentage'],
    ours: 'A call that began in an earlier state decides nothing when it ends.',
    theirs: 'Any success closes a half-open circuit, and any failure reopens it.',
    reason: 'Results from before the outage say nothing about the time after it.',
    checklist: [27, 28],
  },
  {
    id: 'no place is a failure',
    peer: opossum,
    pairings: ['percentage'],
    ours: 'A call for which there was no place says nothing about the dependency.',
    theirs: 'It counts as a failure, so that a burst opens the circuit of a healthy dependency.',
    reason: 'The limit is ours; the dependency was never asked.',
    checklist: [33],
  },
  {
    id: 'places of abandoned work',
    peer: opossum,
    pairings: ['percentage'],
    ours: 'A call that timed out keeps its place until its work has ended.',
    theirs: 'The place is free at the timeout, while the work goes on.',
    reason: 'Otherwise more calls run at once than the capacity says, and most of all when everything hangs.',
    checklist: [79],
  },
] as const satisfies readonly Difference[]

export type DifferenceId = (typeof differences)[number]['id']
