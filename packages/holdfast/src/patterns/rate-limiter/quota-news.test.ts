import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseReset, readRateNews } from './quota-news.ts'

const wall = Date.parse('2026-03-01T12:00:00Z')
const quotas = (headers: Record<string, string>): unknown => readRateNews(headers, wall).quotas

describe('what headers say of quotas', () => {
  it('65: OpenAI and those that follow it', () => {
    const headers = {
      'x-ratelimit-limit-requests': '60',
      'x-ratelimit-remaining-requests': '59',
      'x-ratelimit-reset-requests': '1s',
      'x-ratelimit-limit-tokens': '150000',
      'x-ratelimit-remaining-tokens': '149984',
      'x-ratelimit-reset-tokens': '6m0s',
    }
    expect(quotas(headers)).toEqual([
      { resource: 'requests', limit: 60, remaining: 59, resetMs: 1_000, refills: true },
      { resource: 'tokens', limit: 150_000, remaining: 149_984, resetMs: 360_000, refills: true },
    ])
    expect(readRateNews(new Headers(headers), wall)).toEqual(readRateNews({ status: 200, headers }, wall))
  })

  it('65: Anthropic', () => {
    expect(
      quotas({
        'anthropic-ratelimit-input-tokens-limit': '40000',
        'anthropic-ratelimit-input-tokens-remaining': '39000',
        'anthropic-ratelimit-input-tokens-reset': '2026-03-01T12:00:30Z',
      }),
    ).toEqual([{ resource: 'input-tokens', limit: 40_000, remaining: 39_000, resetMs: 30_000, refills: true }])
  })

  it('GitHub and others with an instant, X, and the IETF drafts', () => {
    const window = { resource: '', limit: 100, remaining: 7, resetMs: 30_000, refills: false }
    const reset = String(wall / 1_000 + 30)
    expect(quotas({ 'x-ratelimit-limit': '100', 'x-ratelimit-remaining': '7', 'x-ratelimit-reset': reset })).toEqual([window])
    expect(quotas({ 'x-rate-limit-limit': '100', 'x-rate-limit-remaining': '7', 'x-rate-limit-reset': '30' })).toEqual([window])
    expect(quotas({ 'ratelimit-limit': '100', 'ratelimit-remaining': '7', 'ratelimit-reset': '30' })).toEqual([window])
    expect(quotas({ ratelimit: 'limit=100, remaining=7, reset=30' })).toEqual([window])
    expect(quotas({ ratelimit: '"minute";r=7;t=30', 'ratelimit-policy': '"day";q=9;w=9, "minute";q=100;w=60' })).toEqual([
      { ...window, resource: 'minute' },
    ])
  })

  it('61: retry-after pauses where the status is one that turns callers away, or unknown', () => {
    const pauseMs = (source: object): number | undefined => readRateNews(source, wall).pauseMs
    expect(pauseMs({ status: 429, headers: { 'retry-after': '2' } })).toBe(2_000)
    expect(pauseMs({ status: 429, headers: { 'retry-after-ms': '300', 'retry-after': '2' } })).toBe(300)
    expect(pauseMs({ status: 529, headers: { 'retry-after': 'Sun, 01 Mar 2026 12:00:10 GMT' } })).toBe(10_000)
    expect(pauseMs({ 'retry-after': '1' })).toBe(1_000)
    expect(pauseMs({ status: 503, headers: { 'retry-after': '2' } })).toBeUndefined()
    expect(pauseMs({ status: 429, headers: { 'retry-after': '-2' } })).toBeUndefined()
    expect(pauseMs({ status: 429, headers: {} })).toBeUndefined()
  })

  it.each([
    ['6m0s', 360_000],
    ['1h2m3.5s', 3_723_500],
    ['20ms', 20],
    ['500us', 0.5],
    ['12', 12_000],
    ['0', 0],
    [String(wall + 5_000), 5_000],
    [String(wall / 1_000 - 5), 0],
    ['2026-03-01T11:00:00Z', 0],
    ['soon', undefined],
    ['', undefined],
  ])('reads %o as %o ms until the reset', (text, ms) => {
    expect(parseReset(text, wall)).toBe(ms)
  })

  it('whatever the headers are, it says nothing that is no number, and throws nothing', () => {
    const value = fc.oneof(
      fc.string(),
      fc.double().map(String),
      fc.constantFrom('-1', '1e999', '99999999999999999999', ';r=1', '"a";r=1;t=-5'),
    )
    const name = fc.constantFrom(
      'x-ratelimit-remaining',
      'x-ratelimit-reset',
      'x-ratelimit-limit-tokens',
      'x-ratelimit-remaining-tokens',
      'x-ratelimit-reset-tokens',
      'anthropic-ratelimit-requests-remaining',
      'anthropic-ratelimit-requests-reset',
      'ratelimit',
      'ratelimit-policy',
      'retry-after',
      'retry-after-ms',
    )
    const check = (headers: Record<string, string>): void => {
      const news = readRateNews({ status: 429, headers }, wall)
      if (news.pauseMs !== undefined) expect(news.pauseMs > 0 && news.pauseMs < Infinity).toBe(true)
      for (const { limit = 0, remaining, resetMs = 0 } of news.quotas)
        for (const figure of [limit, remaining, resetMs]) expect(figure >= 0 && figure < Infinity).toBe(true)
    }
    fc.assert(fc.property(fc.dictionary(name, value), check), { numRuns: 3_000, seed: 65 })
    const hostile = {
      get headers(): never {
        throw new Error('no')
      },
    }
    expect(readRateNews(hostile, wall)).toEqual({ quotas: [], pauseMs: undefined })
    expect(readRateNews({ 'x-ratelimit-remaining': '0'.repeat(5_000) }, wall).quotas).toEqual([])
  })
})
