import { isQuotaExhausted } from 'holdfast'
import { describe, expect, it } from 'vitest'

const openai = { error: { message: 'You exceeded your current quota', type: 'insufficient_quota', code: 'insufficient_quota' } }
const anthropic = { type: 'error', error: { type: 'invalid_request_error', message: 'Your credit balance is too low to access the API.' } }

describe('62: a used-up quota', () => {
  it.each([
    ['the body of OpenAI', openai],
    ['the body of Anthropic', anthropic],
    ['a body as text', JSON.stringify(openai)],
    ['an SDK error', Object.assign(new Error('429'), { status: 429, error: openai.error, code: 'insufficient_quota' })],
    ['an error with the body as text', Object.assign(new Error('429'), { statusCode: 429, responseBody: JSON.stringify(openai) })],
    ['an error behind others', new Error('outer', { cause: Object.assign(new Error('retries'), { errors: [{ error: openai.error }] }) })],
    ['402', { status: 402 }],
  ])('is seen in %s', (_what, value) => expect(isQuotaExhausted(value)).toBe(true))

  it.each([
    ['a rate limit', { status: 429, error: { code: 'rate_limit_exceeded', type: 'tokens' } }],
    ['a text that is no JSON', 'insufficient_quota'],
    ['a long text', JSON.stringify({ ...openai, more: 'x'.repeat(70_000) })],
    ['nothing', undefined],
    ['null', null],
    [
      'fields that throw',
      {
        get code(): never {
          throw new Error('no')
        },
      },
    ],
  ])('is not seen in %s', (_what, value) => expect(isQuotaExhausted(value)).toBe(false))

  it('ends with structures that do not', () => {
    const endless: { error?: unknown } = {}
    endless.error = endless
    expect(isQuotaExhausted(endless)).toBe(false)
  })
})
