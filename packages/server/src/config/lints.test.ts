import { describe, expect, it } from 'vitest'
import { errorsOf, loadText, warningsOf } from './config.fixture.ts'

const upstream = (pipeline: string, settings = ''): string =>
  `upstreams:\n  u:\n    url: http://127.0.0.1:1\n    pipeline: { ${pipeline} }\n${settings.replace(/^(?=.)/gm, '    ')}\n`
const warnings = (text: string): readonly string[] => warningsOf(loadText(text))

describe('lints: settings that are allowed but do not go together', () => {
  it.each([
    ['no timeout at all', upstream(''), "4:15 upstreams.u.pipeline: has neither 'totalTimeout' nor 'attemptTimeout'"],
    [
      'a retry without attemptTimeout',
      upstream('totalTimeout: 9s, retry: {}'),
      "upstreams.u.pipeline.retry: has no 'attemptTimeout' beside it",
    ],
    [
      'attempts that do not fit into the total',
      upstream('totalTimeout: 9s, attemptTimeout: 4s, retry: { maxAttempts: 3, jitter: none, initialDelay: 1s }'),
      'totalTimeout: is too short for all attempts to time out: 3 attempts of 4s and their delays need 15s',
    ],
    [
      'an attempt longer than the total',
      upstream('totalTimeout: 3s, attemptTimeout: 4s'),
      'attemptTimeout: is longer than totalTimeout (3s)',
    ],
    [
      'a request deadline before the total',
      `server: { gateway: { requestTimeout: 2s } }\n${upstream('totalTimeout: 3s')}`,
      'is longer than server.gateway.requestTimeout (2s)',
    ],
    [
      'a wait longer than the total',
      upstream('totalTimeout: 3s, bulkhead: { maxConcurrent: 1, maxQueued: 1, maxWait: 4s }'),
      'bulkhead.maxWait: is longer than totalTimeout (3s)',
    ],
    [
      'a queue without an end',
      upstream('attemptTimeout: 3s, bulkhead: { maxConcurrent: 1, maxQueued: 1 }'),
      "has a queue but neither 'maxWait' nor",
    ],
    [
      'a bulkhead wider than the connections',
      upstream('attemptTimeout: 3s, bulkhead: { maxConcurrent: 65 }'),
      "upstreams.u.connections: is less than the bulkhead's maxConcurrent (65)",
    ],
    [
      'totalTimeout inside retry',
      upstream('totalTimeout: 3s, attemptTimeout: 1s, retry: {}, order: [retry, totalTimeout, attemptTimeout]'),
      'totalTimeout stands inside retry',
    ],
    [
      'fallback inside the breaker',
      upstream('attemptTimeout: 1s, fallback: {}, circuitBreaker: {}, order: [circuitBreaker, fallback, attemptTimeout]'),
      'fallback stands inside circuitBreaker',
    ],
    [
      'failures that are the fault of the request',
      upstream('attemptTimeout: 1s, circuitBreaker: {}', 'failureStatuses: [5xx, 4xx]'),
      'failureStatuses: holds 4xx, the fault of the request',
    ],
    ['retries of what stays wrong', upstream('attemptTimeout: 1s, retry: {}', 'retryStatuses: [503, 422]'), 'retryStatuses: holds 422'],
    [
      'health checks that overlap',
      upstream('attemptTimeout: 1s', 'health: { interval: 1s, timeout: 2s }'),
      '5:38 upstreams.u.health.timeout: is longer than interval (1s)',
    ],
    [
      'a secret over http',
      "upstreams: { u: { url: 'http://api', headers: { authorization: x }, pipeline: { attemptTimeout: 1s } } }\n",
      'the authorization header travels unencrypted',
    ],
    [
      'a breaker shared by two hosts',
      'circuitBreakers: { c: {} }\nupstreams: { a: { url: "http://a", pipeline: &p { attemptTimeout: 1s, circuitBreaker: c } }, b: { url: "http://b", pipeline: *p } }\n',
      "shares circuit breaker 'c' with upstream 'a' at another address",
    ],
  ])('%s', (_, text, message) => {
    expect(warnings(text).filter((warning) => warning.includes(message))).toHaveLength(1)
    expect(warnings(text)).toHaveLength(1)
  })

  it.each([
    [
      'attempts that fit exactly',
      upstream('totalTimeout: 15s, attemptTimeout: 4s, retry: { maxAttempts: 3, jitter: none, initialDelay: 1s }'),
    ],
    ['full jitter may add nothing', upstream('totalTimeout: 12s, attemptTimeout: 4s, retry: { maxAttempts: 3 }')],
    [
      'one breaker for two paths of a host',
      'circuitBreakers: { c: {} }\nupstreams: { a: { url: "http://a/x", pipeline: &p { attemptTimeout: 1s, circuitBreaker: c } }, b: { url: "http://a/y", pipeline: *p } }\n',
    ],
    ['client errors without a breaker', upstream('attemptTimeout: 1s', 'failureStatuses: [4xx]')],
    [
      'a secret to this machine',
      "upstreams: { u: { url: 'http://127.0.0.1', headers: { authorization: x }, pipeline: { attemptTimeout: 1s } } }\n",
    ],
  ])('no warning: %s', (_, text) => expect(warnings(text)).toEqual([]))
})

const twice = (second: string): string => `server: { tokens: [{ name: a, role: read, value: 0123456789abcdeX }, ${second}] }\n`

describe('listeners', () => {
  const token = "tokens: [{ name: ops, role: operate, value: '0123456789abcdef' }]"

  it('1: a public control listener without tokens is refused, and the fix named', () => {
    const [error] = errorsOf(loadText('server:\n  control: { host: 0.0.0.0 }\n'))
    expect(error).toMatch(/^2:20 server\.control\.host: must be a loopback address while there are no tokens/)
    expect(error).toContain(
      "add a token (server.tokens: [{ name: ops, role: operate, value: '${HOLDFAST_TOKEN}' }]), or listen on 127.0.0.1",
    )
    expect(error).toContain('got "0.0.0.0"')
  })

  it('1: a token that an unset variable left blank is none', () => {
    const text = "server: { control: { host: '::' }, tokens: [{ name: ops, role: operate, value: '${HOLDFAST_TOKEN:-}' }] }\n"
    expect(errorsOf(loadText(text))[0]).toContain('must be a loopback address')
    expect(errorsOf(loadText(text, { HOLDFAST_TOKEN: '0123456789abcdef' }))).toEqual([])
  })

  it.each(['127.0.0.1', '127.8.8.8', '::1', 'localhost'])('%s needs no token', (host) => {
    expect(errorsOf(loadText(`server: { control: { host: '${host}' } }\n`))).toEqual([])
  })

  it('the listeners need ports of their own, unless both take any', () => {
    expect(errorsOf(loadText('server: { gateway: { port: 8000 } }\n'))[0]).toContain(
      "must differ from the gateway's port, which is 8000 too",
    )
    expect(errorsOf(loadText('server: { gateway: { port: 0 }, control: { port: 0 } }\n'))).toEqual([])
  })

  it('tokens must differ in name and value', () => {
    expect(errorsOf(loadText(twice('{ name: a, role: read, value: 0123456789abcdeY }')))[0]).toContain("two tokens with the name 'a'")
    expect(errorsOf(loadText(twice('{ name: b, role: read, value: 0123456789abcdeX }')))[0]).toContain('the same token twice')
  })

  it('a token needs one value, and a hash the right length', () => {
    expect(errorsOf(loadText('server: { tokens: [{ name: a, role: read }] }\n'))).toEqual([
      "1:20 server.tokens[0]: must have exactly one of 'value' and 'valueFile'",
    ])
    expect(errorsOf(loadText("server: { tokens: [{ name: a, role: read, value: 'sha256:abc' }] }\n"))).toEqual([
      "1:20 server.tokens[0]: must have 64 hex digits after 'sha256:'",
    ])
  })

  it('warns of tokens that are blank or easy to guess', () => {
    expect(warnings("server: { tokens: [{ name: a, role: read, value: '' }] }\n")).toContain(
      "1:20 server.tokens[0]: token 'a' is blank, so it is left out",
    )
    expect(warnings('server: { tokens: [{ name: a, role: read, value: hunter2 }] }\n').join('\n')).toContain("token 'a' is easy to guess")
  })

  it('warns when a public gateway would lend out the secrets of its upstreams', () => {
    const text = `server: { gateway: { host: 0.0.0.0 }, ${token} }\nupstreams: { u: { url: 'https://a', headers: { x-key: k }, pipeline: { attemptTimeout: 1s } } }\n`
    expect(warnings(text)).toEqual([
      "1:28 server.gateway.host: whoever reaches the gateway uses the headers configured for upstream 'u': protect it by the network",
    ])
  })
})
