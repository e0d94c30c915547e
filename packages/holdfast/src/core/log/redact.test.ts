import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { namesContent, namesCredential, publicText, redactCredentials } from './redact.ts'

const canary = 'cAnary7f3aQ9zX'

describe('42: credentials in texts', () => {
  it.each([
    `Authorization: Bearer ${canary}`,
    `authorization=Basic ${canary}`,
    `{"authorization":"${canary}","model":"m"}`,
    `Cookie: theme=dark; sid=${canary}; other=${canary}`,
    `set-cookie: sid=${canary}; HttpOnly`,
    `request with bearer ${canary} was refused`,
    `x-api-key: ${canary}`,
    `api_key=${canary}`,
    `apiKey: '${canary} with blanks'`,
    `"password": "${canary} with \\" quotes"`,
    `host=db user=app password=${canary} dbname=x`,
    `Server=db;Pwd=${canary};Database=x`,
    `passphrase = ${canary}`,
    `client_secret=${canary}&grant_type=x`,
    `AWS_SECRET_ACCESS_KEY=${canary}`,
    `session_id=${canary}`,
    `refresh_token=${canary}`,
    `tokens=${canary}`,
    `https://api.example/v1?key=${canary}&alt=json`,
    `https://blob.example/x?sv=1&sig=${canary}`,
    `X-Amz-Signature=${canary}`,
    `postgres://app:${canary}@db.example:5432/x`,
    `postgres://app:p@${canary}/x@db.example/x`,
    `redis://:${canary}@cache.example`,
    `https://${canary}@code.example/repo.git`,
    `sk-${canary}`,
    `sk-ant-api03-${canary}`,
    `sk_live_${canary}`,
    `ghp_${canary}${canary}`,
    `github_pat_${canary}${canary}`,
    `glpat-${canary}`,
    `xoxb-12-${canary}`,
    `AIza${canary}${canary}`,
    `hf_${canary}${canary}`,
    `eyJhbGciOiJI.eyJzdWIi${canary}.${canary}`,
    `-----BEGIN RSA PRIVATE KEY-----\nMII${canary}\n${canary}`,
    `${canary}${canary}${canary}`,
    `deadbeef${canary}deadbeef_-deadbeef`,
  ])('are not in what is left of %j', (text) => {
    const left = publicText(`before ${text}`, 500)
    expect(left).not.toContain(canary)
    expect(left).toContain('before')
    expect(left).toContain('[redacted]')
  })

  it('leave the rest of the text in place', () => {
    expect(publicText(`connect to postgres://app:${canary}@db.example:5432/x failed`)).toBe(
      'connect to postgres://[redacted]@db.example:5432/x failed',
    )
    expect(publicText(`https://api.example/v1?key=${canary}&alt=json answered 403`)).toBe(
      'https://api.example/v1?key=[redacted]&alt=json answered 403',
    )
    expect(publicText(`Incorrect API key provided: sk-${canary}.`)).toBe('Incorrect API key provided: [redacted].')
  })

  it.each([
    'Circuit OPEN for service payments',
    'connect ECONNREFUSED 127.0.0.1:5432',
    'max_tokens: 4096 is too large, tokens: 12',
    'the request 3f2504e0-4f89-11d3-9a0c-0305e82c3301 took 35 ms',
    'GET https://api.example:8443/v1/models/gpt-4o?limit=5 answered 503',
    'password authentication failed for user "app"',
    'Basic authentication is off',
    'invalid bearer token',
    'resilience_circuitbreaker_not_permitted_calls_2_total',
    'mail to ops@example.org',
  ])('are not seen where there are none: %j', (text) => {
    expect(publicText(text)).toBe(text)
  })

  it('stay out when the text is long, also where it is cut', () => {
    for (const length of [150, 195, 3_985, 3_995, 4_000, 100_000]) {
      expect(publicText(`${'word '.repeat(length / 5)}sk-${canary}`)).not.toContain('sk-')
      expect(publicText(`password=${'x'.repeat(length)} sk-${canary} end`)).not.toContain('cAnary')
    }
  })
})

it('a public text is on one line and no longer than allowed', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 600 }), fc.integer({ min: 1, max: 300 }), (text, maxLength) => {
      const plain = publicText(text, maxLength)
      expect(plain.length).toBeLessThanOrEqual(maxLength)
      expect(plain).not.toMatch(/[\p{Cc}\u2028\u2029]/u)
    }),
  )
})

it('42: a key stays out whatever stands around it', () => {
  const around = fc
    .array(fc.constantFrom('password=', 'Bearer ', '://', 'a:b', '@', ' ', '"', "'", '\\', 'Cookie: ', '\n', '{', '=', '[redacted]'), {
      maxLength: 12,
    })
    .map((parts) => parts.join(''))
  fc.assert(
    fc.property(around, around, (before, after) => {
      expect(publicText(`${before} sk-${canary}${after}`, 1_000)).not.toContain(canary)
      expect(redactCredentials(`${before} "token": "${canary}"${after}`)).not.toContain(canary)
    }),
  )
})

it('texts made to be slow take no longer than others', () => {
  const hostile = [
    '://'.repeat(1_300),
    'password'.repeat(500),
    'token: '.repeat(570),
    'a'.repeat(3_990),
    'sk-'.repeat(1_300),
    '"'.repeat(4_000),
    'eyJaaaaaaaa.'.repeat(330),
  ]
  const startedAt = performance.now()
  for (const text of hostile) publicText(text)
  expect(performance.now() - startedAt).toBeLessThan(500)
})

it('42: knows the names of credentials and of content', () => {
  const credentials = [
    'Authorization',
    'proxy_authorization',
    'auth',
    'apiKey',
    'API-Key',
    'x-api-key',
    'accessToken',
    'cookie',
    'set-cookie',
    'dbPassword',
    'passwd',
    'clientSecret',
    'dsn',
    'connectionString',
    'sessionId',
    'jwt',
  ]
  const contents = ['prompt', 'systemPrompt', 'messages', 'requestBody', 'headers', 'completion']
  const others = ['attempt', 'delayMs', 'author', 'code', 'state', 'failures', 'model', 'host', 'keyCount', 'primaryKey']
  expect(credentials.filter((name) => !namesCredential(name))).toEqual([])
  expect(contents.filter((name) => !namesContent(name))).toEqual([])
  expect(others.filter((name) => namesCredential(name) || namesContent(name))).toEqual([])
})
