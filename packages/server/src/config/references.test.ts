import { describe, expect, it } from 'vitest'
import { errorsOf, loaded, loadText, warningsOf } from './config.fixture.ts'

const text = (pipeline: string, rest = ''): string =>
  `circuitBreakers:\n  llm: {}\n${rest}upstreams:\n  u:\n    url: http://u\n    pipeline:\n      ${pipeline}\n`

describe('references', () => {
  it.each([
    [
      'circuitBreaker: lmm',
      "7:23 upstreams.u.pipeline.circuitBreaker: must be the name of a circuit breaker, got \"lmm\"; 'circuitBreakers' does not define it (did you mean 'llm'?)",
    ],
    [
      'circuit_breaker: other',
      '7:24 upstreams.u.pipeline.circuit_breaker: must be the name of a circuit breaker, got "other"; \'circuitBreakers\' does not define it',
    ],
    [
      'retry: standard',
      '7:14 upstreams.u.pipeline.retry: must be the name of a retry policy, got "standard"; there are none in \'retryPolicies\'',
    ],
    [
      'totalTimeout: slow',
      '7:21 upstreams.u.pipeline.totalTimeout: must be the name of a timeout, got "slow"; there are none in \'timeouts\'',
    ],
    [
      'retry: toString',
      '7:14 upstreams.u.pipeline.retry: must be the name of a retry policy, got "toString"; there are none in \'retryPolicies\'',
    ],
  ])('%s: an error at the name, with the nearest one', (pipeline, error) => {
    expect(errorsOf(loadText(text(pipeline)))).toEqual([error])
  })

  it('a health check is referred to like a policy', () => {
    const { config } = loaded(
      loadText(
        'healthChecks: { h: { interval: 3s } }\nupstreams: { u: { url: "http://u", health: h, pipeline: { attemptTimeout: 1s } } }\n',
      ),
    )
    expect(config.upstreams.u?.health).toBe(config.healthChecks.h)
    expect(errorsOf(loadText('upstreams: { u: { url: "http://u", health: h } }\n'))[0]).toContain('must be the name of a health check')
  })

  it('a definition that no upstream uses is a warning', () => {
    expect(warningsOf(loadText(text('attemptTimeout: 1s', 'timeouts: { slow: 5s }\n')))).toEqual([
      '2:3 circuitBreakers.llm: this circuit breaker is not used by any upstream',
      '3:13 timeouts.slow: this timeout is not used by any upstream',
    ])
    expect(warningsOf(loadText(text('{ circuitBreaker: llm, attemptTimeout: slow }', 'timeouts: { slow: 5s }\n')))).toEqual([])
  })

  it('a name out of a variable is not printed', () => {
    expect(errorsOf(loadText(text('retry: ${R}'), { R: 'sk-canary' }))).toEqual([
      "7:14 upstreams.u.pipeline.retry: must be the name of a retry policy, got a value from variable R, which is not shown; there are none in 'retryPolicies'",
    ])
  })
})

it('a rate limiter cannot have the name of an upstream\u2019s quota', () => {
  const yaml = (name: string): string =>
    `rateLimiters:\n  ${name}: { limit: 1, window: 1s }\nupstreams:\n  llm: { url: 'http://127.0.0.1:9', pipeline: { rateLimiter: ${name}, attemptTimeout: 1s } }\n`
  expect(errorsOf(loadText(yaml('llm-quota')))).toEqual([expect.stringContaining("is a name that the quota of upstream 'llm' has")])
  expect(errorsOf(loadText(yaml('other')))).toEqual([])
})
