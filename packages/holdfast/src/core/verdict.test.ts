import { HoldfastError, refusal, verdictOf, type Call } from 'holdfast'
import { expect, it } from 'vitest'

function cancelledWith(cancelled: unknown): Call {
  return { cancelled } as Call
}

const running = cancelledWith(undefined)
const timedOut = new HoldfastError({ code: 'ERR_TIMEOUT' })

it.each<[string, boolean, unknown, Call, string]>([
  ['a result', true, 'value', running, 'success'],
  ['a result of a call that was cancelled meanwhile', true, 'value', cancelledWith('left'), 'success'],
  ['an error', false, new Error('x'), running, 'failure'],
  ['an error that is undefined', false, undefined, running, 'failure'],
  ['a refusal of a policy inside', false, refusal('ERR_BULKHEAD_FULL', 'x'), running, 'ignored'],
  ['a refusal after the time was up', false, refusal('ERR_BULKHEAD_FULL', 'x'), cancelledWith(timedOut), 'ignored'],
  [
    "the error a refusal becomes in a pipeline of the function's own",
    false,
    new HoldfastError({ code: 'ERR_BULKHEAD_FULL' }),
    running,
    'failure',
  ],
  ['a timeout inside', false, timedOut, running, 'failure'],
  ['a timeout outside', false, timedOut, cancelledWith(timedOut), 'failure'],
  ["a deadline of the caller's", false, 'x', cancelledWith(new HoldfastError({ code: 'ERR_DEADLINE_EXCEEDED' })), 'failure'],
  ['AbortSignal.timeout()', false, 'x', cancelledWith(new DOMException('late', 'TimeoutError')), 'failure'],
  ["the caller's abort", false, new Error('x'), cancelledWith(new DOMException('left', 'AbortError')), 'ignored'],
  ["the caller's abort for the reason null", false, new Error('x'), cancelledWith(null), 'ignored'],
  ["the caller's abort for the reason 0", false, new Error('x'), cancelledWith(0), 'ignored'],
])('%s: ok %s', (_what, ok, value, call, verdict) => {
  expect(verdictOf(ok, value, call)).toBe(verdict)
})
