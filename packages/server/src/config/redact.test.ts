import { expect, it } from 'vitest'
import { loaded, loadText } from './config.fixture.ts'
import { redactedConfig } from './redact.ts'

it('42: a configuration is shown without its secrets, and with all the rest', () => {
  const text = `
server:
  tokens: [{ name: ops, role: operate, value: sk-canary-0123456789 }]
  dataDir: '\${DATA}'
fallbacks:
  f: { headers: { Set-Cookie: sk-canary, x-plain: shown }, json: { key: '\${API_KEY}' } }
  g: { headers: { X-Odd: '\${file:key}' }, body: shown }
upstreams:
  u:
    url: http://127.0.0.1/\${PATH_TOKEN}
    headers: { x-anything: sk-canary }
    pipeline: { fallback: f, attemptTimeout: 1s }
    health: { path: '/\${file:key}' }
  v: { url: 'http://127.0.0.1/\${WHERE}', pipeline: { fallback: g, attemptTimeout: 1s } }
`
  const env = { API_KEY: 'sk-canary', PATH_TOKEN: 'sk-canary', WHERE: 'shown', DATA: '/shown' }
  const { config } = loaded(loadText(text, env, { 'config/key': 'sk-canary' }))
  expect(JSON.stringify(config)).toContain('sk-canary')
  const shown = redactedConfig(config)
  expect(JSON.stringify(shown)).not.toContain('sk-canary')
  expect(shown.server).toMatchObject({
    tokens: [{ name: 'ops', role: 'operate', sha256: '(hidden)' }],
    dataDir: '/shown',
    gateway: { port: 8080 },
  })
  expect(shown.fallbacks.f).toMatchObject({ headers: { 'x-plain': 'shown', 'set-cookie': '(hidden)' }, body: '(hidden)' })
  expect(shown.upstreams.u).toMatchObject({ url: '(hidden)', headers: { 'x-anything': '(hidden)' }, health: { path: '(hidden)' } })
  expect(shown.upstreams.v).toMatchObject({ url: 'http://127.0.0.1/shown', pipeline: { fallback: { body: 'shown' } } })
  expect(config.upstreams.u?.headers['x-anything']).toBe('sk-canary')
})
