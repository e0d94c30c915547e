import { describe, expect, it } from 'vitest'
import { errorsOf, loaded, loadText, warningsOf, workspace } from './config.fixture.ts'

const upstream = (settings: string): string => `upstreams:\n  llm:\n    url: http://127.0.0.1:9001\n${settings.replace(/^/gm, '    ')}\n`

describe('S71: unknown keys', () => {
  it.each([
    ['server:\n  gateway:\n    prot: 1\n', '3:5 server.gateway.prot: is not a setting', "did you mean 'port'?"],
    [
      'circuitBreakers:\n  llm: { failureTreshold: 5 }\n',
      '2:10 circuitBreakers.llm.failureTreshold: is not a setting',
      "did you mean 'failureThreshold'?",
    ],
    ['upstream: {}\n', '1:1 upstream: is not a setting', "did you mean 'upstreams'?"],
    [upstream('pipeline:\n  bulkead: x'), '5:7 upstreams.llm.pipeline.bulkead: is not a setting', "did you mean 'bulkhead'?"],
  ])('%j points at the key and says what was meant', (text, start, hint) => {
    const [error] = errorsOf(loadText(text))
    expect(error).toMatch(start)
    expect(error).toMatch(hint)
  })

  it('a key that has its place elsewhere is told where', () => {
    expect(errorsOf(loadText(upstream('timeout: 3s')))).toEqual([
      "4:5 upstreams.llm.timeout: is not set here: use 'totalTimeout' or 'attemptTimeout' under 'pipeline'",
    ])
    expect(errorsOf(loadText('bulkheads:\n  a: { maxConcurrent: 1, timeout: 5s }\n'))[0]).toMatch('a bulkhead limits no execution time')
  })

  it('all errors come at once, over all files, by file and position', () => {
    const space = workspace({
      'config/reliability.yml': 'include: [b.yml, a.yml]\nserver:\n  gateway: { port: 80800, prot: 1 }\n  log: { level: loud }\n',
      'config/a.yml': 'timeouts: { x: 70 }\n',
      'config/b.yml': 'bulkheads:\n  b: {}\nupstreams:\n  u: { url: "${MISSING}", pipeline: { bulkhead: bb } }\n',
    })
    const result = space.load()
    space.remove()
    expect(result.ok).toBe(false)
    expect(result.ok ? [] : result.errors.map(({ file, line, column, path }) => `${file}:${line}:${column} ${path}`)).toEqual([
      'config/reliability.yml:3:20 server.gateway.port',
      'config/reliability.yml:3:27 server.gateway.prot',
      'config/reliability.yml:4:17 server.log.level',
      'config/b.yml:2:3 bulkheads.b.maxConcurrent',
      'config/b.yml:4:13 upstreams.u.url',
      'config/b.yml:4:49 upstreams.u.pipeline.bulkhead',
      'config/a.yml:1:16 timeouts.x',
    ])
  })
})

describe('S72: values of the wrong unit, type or range', () => {
  it.each([
    [
      'timeouts: { x: 10sec }',
      'must be a duration with its unit, such as 250ms, 30s, 5m, 2h or 7d, at least 1ms, got "10sec" (did you mean \'10s\'?)',
    ],
    [
      'timeouts: { x: 70 }',
      "must be a duration with its unit, such as 250ms, 30s, 5m, 2h or 7d, at least 1ms, got 70 (did you mean '70s'?)",
    ],
    ['timeouts: { x: 0s }', 'at least 1ms, got "0s"'],
    ['timeouts: { x: 400d }', 'got "400d"'],
    ['timeouts: { x: .inf }', 'got Infinity'],
    [
      'circuitBreakers: { x: { failureRatio: 50 } }',
      "must be a share above 0, at most 1, such as 0.85 or '85%', got 50 (did you mean '50%'?)",
    ],
    ['circuitBreakers: { x: { failureRatio: 0 } }', 'must be a share above 0'],
    ['circuitBreakers: { x: { failureRatio: 150% } }', 'got "150%"'],
    ['circuitBreakers: { x: { failureThreshold: 0 } }', 'must be a whole number from 1 to 100000, got 0'],
    ['circuitBreakers: { x: { failureThreshold: 1.5 } }', 'got 1.5'],
    ['circuitBreakers: { x: { openForFactor: .nan } }', 'got NaN'],
    [
      'circuitBreakers: { x: { mode: enforced } }',
      'must be one of enforce, metrics-only, disabled, got "enforced" (did you mean \'enforce\'?)',
    ],
    ['circuitBreakers: { x: 5 }', 'must be a map of settings, got 5'],
    ['circuitBreakers: [x]', 'must be a map of names and circuit breakers, got a list of 1'],
    ['circuitBreakers: { 9: {} }', 'the name must be made of a letter'],
    ['retryPolicies: { x: { backoff: exponental } }', "did you mean 'exponential'?"],
    ['retryPolicies: { x: { retryRefusals: yes } }', 'must be true or false, got "yes" (did you mean \'true\'?)'],
    ['server: { gateway: { port: 80800 } }', 'must be a whole number from 0 to 65535, got 80800'],
    ['server: { gateway: { port: "3" } }', 'must be a whole number from 0 to 65535, got "3" (did you mean \'3\'?)'],
    ['server: { gateway: { port: -1 } }', 'got -1'],
    [
      'server: { gateway: { maxBodyBytes: 1mb } }',
      'such as 512KiB, 1MiB or 10MB, at least 1B, at most 1GiB, got "1mb" (did you mean \'1MB\'?)',
    ],
    ['server: { gateway: { host: "http://x" } }', 'must be a host name or address to listen on'],
    [
      'server: { gateway: { trustedProxies: [10.0.0.0/33] } }',
      'must be an address or network such as 10.0.0.0/8 or ::1, got "10.0.0.0/33"',
    ],
    ['rateLimiters: { x: { limit: 5 } }', 'x.window: is missing; it must be a duration with its unit'],
    ['rateLimiters: { x: { limit: 5, window: 1s, key: ip } }', 'got "ip" (did you mean \'client\'?)'],
    ['fallbacks: { x: { body: a, json: 1 } }', 'must not be given together with body'],
    ['upstreams: { x: {} }', 'x.url: is missing; it must be an http:// or https:// URL'],
    ['upstreams: { x: { url: "localhost:9001" } }', "did you mean 'http://localhost:9001'?"],
    ['upstreams: { x: { url: "http://a?b" } }', 'without credentials, query and fragment'],
    ['upstreams: { "a/b": { url: "http://a" } }', 'the name must be made of a letter'],
    ['upstreams: { x: { url: "http://a", headers: { "a b": c } } }', 'the name must be made of letters'],
    ['upstreams: { x: { url: "http://a", headers: { Host: c } } }', 'must not be a header that belongs to the connection'],
    ['upstreams: { x: { url: "http://a", headers: { a: "b\\r\\nc: d" } } }', "must be a header's value"],
    ['upstreams: { x: { url: "http://a", headers: { a: "1", A: "2" } } }', 'is given twice: case does not count'],
    ['upstreams: { x: { url: "http://a", failureStatuses: [429] } }', '429 is no failure'],
    ['upstreams: { x: { url: "http://a", failureStatuses: [5XX] } }', "did you mean '5xx'?"],
    ['upstreams: { x: { url: "http://a", pipeline: { attemptTimeout: 70 } } }', "did you mean '70s'?"],
    ['upstreams: { x: { url: "http://a", pipeline: { attemptTimeout: 1 minute } } }', "did you mean '1m'?"],
    ['upstreams: { x: { url: "http://a", pipeline: { attemptTimeout: { aftr: 2s } } } }', "did you mean 'after'?"],
    [
      'upstreams: { x: { url: "http://a", pipeline: { retry: [a] } } }',
      'must be the name of a retry policy, or a map of its settings, got a list of 1',
    ],
    ['upstreams: { x: { url: "http://a", pipeline: { order: [retry, retry], retry: {} } } }', 'must not name retry twice'],
    [
      'upstreams: { x: { url: "http://a", pipeline: { order: [retry], retry: {}, bulkhead: { maxConcurrent: 1 } } } }',
      'must say where bulkhead stands',
    ],
  ])('%s', (text, message) => {
    const errors = errorsOf(loadText(`${text}\n`))
    expect(errors.join('\n')).toContain(message)
  })

  it('what the library alone knows is an error at its place, too', () => {
    expect(errorsOf(loadText('circuitBreakers:\n  x:\n    failureRatio: 0.5\n    windowCalls: 5\n    minimumCalls: 10\n'))).toEqual([
      '5:19 circuitBreakers.x.minimumCalls: must be at most windowCalls (5): the circuit could never open, got 10',
    ])
    expect(errorsOf(loadText(upstream('pipeline:\n  retry: { backoff: decorrelated, jitter: full }')))[0]).toMatch(
      /^5:47 upstreams\.llm\.pipeline\.retry\.jitter: must be absent/,
    )
  })
})

/** A timeout that a file is to hold. */
function timeoutFrom(file: string): string {
  return `timeouts: { x: '\${file:${file}}' }\n`
}

describe('S73: variables', () => {
  it('a missing one is named, at its position', () => {
    expect(errorsOf(loadText(upstream("headers:\n  authorization: 'Bearer ${OPENAI_API_KEY}'")))).toEqual([
      '5:22 upstreams.llm.headers.authorization: environment variable OPENAI_API_KEY is not set: set it, or give a default with ${OPENAI_API_KEY:-…}',
    ])
  })

  it('values become numbers, shares and truths where the schema wants them, quoted or not, and stay texts where it wants texts', () => {
    const text = `
server:
  gateway: { port: '\${PORT:-8080}', requestTimeout: '\${T}' }
  control: { port: '1\${TAIL}' }
  dataDir: \${DIR}
circuitBreakers: { a: { failureRatio: '\${RATIO}', openFor: '\${UNSET:-}' } }
healthChecks: { h: { critical: '\${CRITICAL}' } }
`
    const { config } = loaded(loadText(text, { TAIL: '23', DIR: '007', RATIO: '40%', CRITICAL: 'true', T: '5s' }))
    expect(config.server).toMatchObject({ gateway: { port: 8080, requestTimeout: 5_000 }, control: { port: 123 } })
    expect(config.server.dataDir).toMatch(/\/007$/)
    expect(config.circuitBreakers.a).toMatchObject({ failureRatio: 0.4, openFor: 60_000 })
    expect(config.healthChecks.h?.critical).toBe(true)
  })

  it('a value that came from a variable or a secret file is never printed', () => {
    const text = `
server: { gateway: { port: '\${PORT}' }, log: { level: '\${file:secret}' }, tokens: [{ name: a, role: admin, value: sk-canary-literal }] }
timeouts: { a: '\${T}', b: '\${T:-70}' }
upstreams:
  a: { url: 'http://user:sk-canary-url@host/', headers: { x-key: 5, "sk canary": x } , pipeline: { retry: '\${T}' } }
`
    const errors = errorsOf(loadText(text, { PORT: 'sk-canary-port', T: 'sk-canary-t' }, { 'config/secret': 'sk-canary-file' }))
    const all = errors.join('\n')
    expect(all).not.toMatch(/sk-canary/)
    expect(all).toContain('server.gateway.port: must be a whole number from 0 to 65535, got a value from variable PORT, which is not shown')
    expect(all).toContain(
      'server.log.level: must be one of debug, info, warn, error, silent, got a value from file secret, which is not shown',
    )
    expect(all).toContain('got "http://(hidden)@host/"')
  })

  it('a default in the file may be printed: the file says it', () => {
    expect(errorsOf(loadText("timeouts: { b: '${T:-70}' }\n"))[0]).toContain('got "70"')
  })

  it('a secret file is read relative to the file that names it, without its last line break', () => {
    const text =
      "server: { tokens: [{ name: a, role: read, value: '${file:../secrets/token}' }, { name: b, role: operate, valueFile: ../secrets/other }] }\n"
    const result = loaded(
      loadText(text, {}, { 'secrets/token': 'sha256:' + 'ab'.repeat(32) + '\n', 'secrets/other': 'sha256:' + 'CD'.repeat(32) }),
    )
    expect(result.config.server.tokens).toEqual([
      { name: 'a', role: 'read', sha256: 'ab'.repeat(32) },
      { name: 'b', role: 'operate', sha256: 'cd'.repeat(32) },
    ])
    expect(result.attachments.map((file) => file.split('/').slice(-2).join('/'))).toEqual(['secrets/token', 'secrets/other'])
  })

  it('a secret file must be a regular file of at most 64 KiB', () => {
    expect(errorsOf(loadText(timeoutFrom('/dev/zero')))).toEqual(['1:16 timeouts.x: file /dev/zero is not a regular file'])
    expect(errorsOf(loadText(timeoutFrom('.')))).toEqual(['1:16 timeouts.x: file . is a directory'])
    expect(errorsOf(loadText(timeoutFrom('big'), {}, { 'config/big': 'x'.repeat(65_537) }))).toEqual([
      '1:16 timeouts.x: file big is too large: 65537 bytes, at most 64KiB are read',
    ])
  })

  it('a secret file that is missing is an error where it is named', () => {
    expect(errorsOf(loadText("server: { tokens: [{ name: a, role: read, value: '${file:/none}' }] }\n"))).toEqual([
      '1:50 server.tokens[0].value: file /none cannot be read: no such file',
    ])
    expect(errorsOf(loadText('server: { tokens: [{ name: a, role: read, valueFile: none }] }\n'))).toEqual([
      '1:54 server.tokens[0].valueFile: file none cannot be read: no such file',
    ])
  })
})

describe('other names', () => {
  it.each([
    ['circuitBreakers: { a: { failure_threshold: 3 } }', 'failureThreshold', 3],
    ['circuit_breakers: { a: { timeout: 5s } }', 'openFor', 5_000],
    ['circuit_breakers: { a: { recoveryTimeout: 5s } }', 'openFor', 5_000],
    ['circuit_breakers: { a: { recovery_timeout: 5s } }', 'openFor', 5_000],
  ])('%s is understood, with a warning', (text, key, value) => {
    const result = loaded(loadText(`${text}\n`))
    expect(result.config.circuitBreakers.a).toMatchObject({ [key]: value })
    expect(warningsOf(result).some((warning) => warning.includes('is read as'))).toBe(true)
  })

  it("the specification's retry settings mean what they say", () => {
    const result = loaded(
      loadText(
        'retry_policies:\n  a: { max_retries: 3, backoff_multiplier: 1.5, jitter: false, base_delay: 2s }\n  b: { backoff: fixed }\n',
      ),
    )
    expect(result.config.retryPolicies.a).toMatchObject({
      maxAttempts: 4,
      factor: 1.5,
      jitter: 'none',
      initialDelay: 2_000,
    })
    expect(result.config.retryPolicies.b?.backoff).toBe('constant')
    expect(warningsOf(result)).toContain("2:8 retry_policies.a.max_retries: is read as 'maxAttempts: 4': write that instead")
  })

  it('a mistake is reported under the name that was written, with the value that was written', () => {
    expect(errorsOf(loadText('retry_policies:\n  a: { max_retries: -1 }\n'))).toEqual([
      '2:21 retry_policies.a.max_retries: must be a whole number from 1 to 100, got -1',
    ])
    expect(errorsOf(loadText('retry_policies:\n  a: { timeout: 5000 }\n'))[0]).toMatch(
      /^2:17 retry_policies\.a\.timeout: must be a duration .*got 5000 \(did you mean '5000ms'\?\)$/,
    )
  })

  it('two names of one setting at once are an error, in either order', () => {
    for (const [first, second] of [
      ['openFor', 'open_for'],
      ['open_for', 'openFor'],
      ['timeout', 'recovery_timeout'],
    ] as const) {
      expect(errorsOf(loadText(`circuitBreakers:\n  a:\n    ${first}: 3s\n    ${second}: 4s\n`))).toEqual([
        `4:5 circuitBreakers.a.${second}: is the same setting as '${first}' in line 3: give only one of them`,
      ])
    }
  })
})

describe('the resolved configuration', () => {
  it('is deeply frozen plain data', () => {
    const { config } = loaded(loadText(upstream('pipeline: { attemptTimeout: 5s }')))
    const values: unknown[] = [config]
    for (const value of values) {
      if (typeof value !== 'object' || value === null) continue
      expect(Object.isFrozen(value)).toBe(true)
      values.push(...Object.values(value))
    }
    expect(structuredClone(config)).toEqual({ ...config })
  })

  it('puts the very same object in the place of every name', () => {
    const text = 'bulkheads: { b: { maxConcurrent: 2 } }\n' + upstream('pipeline: { bulkhead: b, attemptTimeout: 5s }')
    const { config } = loaded(loadText(text))
    expect(config.upstreams.llm?.pipeline.bulkhead).toBe(config.bulkheads.b)
    expect(config.bulkheads.b).toEqual({ name: 'b', maxConcurrent: 2, maxQueued: 0 })
  })

  it("names an upstream's own settings after it, and refuses the name when it is taken", () => {
    const own = upstream('pipeline: { bulkhead: { maxConcurrent: 2 }, totalTimeout: 9s, attemptTimeout: 5s }')
    expect(loaded(loadText(own)).config.upstreams.llm?.pipeline).toEqual({
      order: ['totalTimeout', 'bulkhead', 'attemptTimeout'],
      bulkhead: { name: 'llm', maxConcurrent: 2, maxQueued: 0 },
      totalTimeout: { name: 'llm.totalTimeout', after: 9_000 },
      attemptTimeout: { name: 'llm.attemptTimeout', after: 5_000 },
    })
    expect(errorsOf(loadText(`bulkheads: { llm: { maxConcurrent: 2 } }\n${own}`))[0]).toContain(
      "is named 'llm' after its upstream, as a definition in 'bulkheads' is",
    )
  })

  it('keeps the order that was asked for, of the steps there are', () => {
    const order = 'order: [fallback, circuitBreaker, retry, totalTimeout, rateLimiter, bulkhead, attemptTimeout]'
    const { config } = loaded(loadText(upstream(`pipeline: { retry: {}, circuitBreaker: {}, attemptTimeout: 5s, ${order} }`)))
    expect(config.upstreams.llm?.pipeline.order).toEqual(['circuitBreaker', 'retry', 'attemptTimeout'])
  })

  it('fills in what a policy needs to be complete', () => {
    const { config } = loaded(
      loadText(
        'circuitBreakers: { a: , b: { failureRatio: 1 } }\nretryPolicies: { r: {}, d: { backoff: decorrelated, maxDelay: 500ms } }\n',
      ),
    )
    expect(config.circuitBreakers.a?.failureThreshold).toBe(5)
    expect(config.circuitBreakers.b?.failureThreshold).toBeUndefined()
    expect(config.retryPolicies.r).toMatchObject({ maxAttempts: 3, backoff: 'exponential', factor: 2, initialDelay: 1_000, jitter: 'full' })
    expect(config.retryPolicies.d).toMatchObject({ initialDelay: 500 })
    expect(config.retryPolicies.d).not.toHaveProperty('jitter')
  })

  it('takes the slash off urls, and blank headers away', () => {
    const { config } = loaded(
      loadText(
        "upstreams: { a: { url: 'HTTP://Example.com:80/v1/', headers: { X-Key: '${KEY:-}', x-b: ' c ' }, pipeline: { attemptTimeout: 1s } } }\n",
      ),
    )
    expect(config.upstreams.a).toMatchObject({ url: 'http://example.com/v1', headers: { 'x-b': 'c' } })
    expect(config.upstreams.a?.headers).not.toHaveProperty('x-key')
  })

  it("makes a fallback's body out of its three forms", () => {
    const text =
      'fallbacks:\n  a: { json: { ok: [1, null] } }\n  b: { bodyFile: page.html, headers: { content-type: text/x } }\n  c: { body: hi, status: 503 }\n  d: {}\n'
    const { config } = loaded(loadText(text, {}, { 'config/page.html': '<p>' }))
    expect(config.fallbacks).toEqual({
      a: { name: 'a', status: 200, headers: { 'content-type': 'application/json' }, body: '{"ok":[1,null]}' },
      b: { name: 'b', status: 200, headers: { 'content-type': 'text/x' }, body: '<p>' },
      c: { name: 'c', status: 503, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: 'hi' },
      d: { name: 'd', status: 200, headers: {}, body: '' },
    })
  })

  it('keeps only hashes of tokens', () => {
    const { config } = loaded(loadText("server: { tokens: [{ name: a, role: operate, value: '${T}' }] }\n", { T: 'correct horse battery' }))
    expect(config.server.tokens).toEqual([
      { name: 'a', role: 'operate', sha256: '9028ea0d15decaa35b2da21c0290af3b1a5ba0a30a591906f89b5074e209ea72' },
    ])
    expect(JSON.stringify(config)).not.toContain('horse')
  })
})

it('a file that is not there is an error, not an exception', () => {
  const space = workspace()
  const result = space.load()
  space.remove()
  expect(errorsOf(result)).toEqual(['1:1 the file cannot be read: no such file'])
  expect(result.files).toEqual([`${space.directory}/config/reliability.yml`])
})
