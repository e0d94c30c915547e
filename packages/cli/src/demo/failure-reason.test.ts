import { HoldfastError } from 'holdfast'
import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai'
import { expect, it } from 'vitest'
import { IncompleteAnswer, UnhelpfulAnswer } from './agent.ts'
import { failureReason } from './failure-reason.ts'
import { HttpError } from './tool-calls.ts'

const answered = (status: number): HttpError => new HttpError(new Response('', { status }), '')
const sdk = (status: number, code: string, type = 'server_error'): Error =>
  APIError.generate(status, { error: { message: 'm', code, type } }, 'm', new Headers())
const gateway = (status: number, code: string): Error => sdk(status, code, 'holdfast_error')
const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'connect' })

it.each([
  ['an open circuit', 'refused', new HoldfastError({ code: 'ERR_CIRCUIT_OPEN', policy: 'orders' })],
  ['a full bulkhead', 'refused', new HoldfastError({ code: 'ERR_BULKHEAD_FULL', policy: 'orders' })],
  ['an open circuit of the gateway', 'refused', gateway(503, 'circuit-open')],
  ['a limit of the gateway', 'refused', gateway(429, 'rate-limited')],
  ['a timeout of a policy', 'timeout', new HoldfastError({ code: 'ERR_TIMEOUT', policy: 'orders' })],
  ['a timeout of the gateway', 'timeout', gateway(504, 'timeout')],
  ['a timeout of the SDK', 'timeout', new APIConnectionTimeoutError()],
  ['a timeout signal', 'timeout', new DOMException('late', 'TimeoutError')],
  ['429 of the model', 'rate-limited', sdk(429, 'rate_limit_exceeded')],
  ['429 of a tool', 'rate-limited', answered(429)],
  ['503 of the model', 'unavailable', sdk(503, 'unavailable')],
  ['500 of a tool', 'unavailable', answered(500)],
  ['a refused connection', 'connection', new TypeError('fetch failed', { cause: refused })],
  ['a broken body', 'connection', new TypeError('terminated')],
  ['a connection error of the SDK', 'connection', new APIConnectionError({ cause: new TypeError('fetch failed') })],
  ['an unreachable service behind the gateway', 'connection', gateway(502, 'upstream-unreachable')],
  ['half an answer', 'incomplete', new IncompleteAnswer('half')],
  ['an answer without a tool call', 'unhelpful', new UnhelpfulAnswer('none')],
  ['422', 'other', answered(422)],
  ['unreadable JSON', 'other', new SyntaxError('x')],
  ['no error at all', 'other', undefined],
])('%s counts as %s', (_what, reason, error) => {
  expect(failureReason(error)).toBe(reason)
})
