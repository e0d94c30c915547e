import { expect, it } from 'vitest'
import { loaded, workspace } from './config.fixture.ts'
import { formatProvenance } from './provenance.ts'

const space = workspace({
  'config/reliability.yml': `include: policies.yml
server:
  gateway: { port: '\${PORT:-8080}', host: '\${HOST:-127.0.0.1}' }
  tokens: [{ name: a, role: read, value: '\${TOKEN}' }]
upstreams:
  llm:
    url: http://127.0.0.1
    headers: { x-key: '\${file:key}' }
    pipeline:
      fallback: { json: { a: 1 } }
      retry: std
      attemptTimeout: quick
      totalTimeout: 30s
    health: h
`,
  'config/policies.yml': 'retry_policies:\n  std:\n    max_retries: 4\ntimeouts:\n  quick: 2s\nhealthChecks:\n  h: { interval: 3s }\n',
  'config/key': 'k',
})
const result = loaded(space.load({ PORT: '9090', TOKEN: '0123456789abcdef' }))
space.remove()

it.each([
  ['server.gateway.port', 'env PORT (config/reliability.yml:3)'],
  ['server.gateway.host', 'config/reliability.yml:3'],
  ['server.gateway.shutdownGrace', 'default'],
  ['server.log.level', 'default'],
  ['server.tokens[0].sha256', 'config/reliability.yml:4'],
  ['upstreams.llm', 'config/reliability.yml:7'],
  ['upstreams.llm.name', 'config/reliability.yml:6'],
  ['upstreams.llm.headers.x-key', 'file key (config/reliability.yml:8)'],
  ['upstreams.llm.connections', 'default'],
  ['upstreams.llm.pipeline.fallback.body', 'config/reliability.yml:10'],
  ['upstreams.llm.pipeline.fallback.status', 'default'],
  ['upstreams.llm.pipeline.retry', 'config/reliability.yml:11'],
  ['upstreams.llm.pipeline.retry.maxAttempts', 'config/policies.yml:3'],
  ['upstreams.llm.pipeline.retry.name', 'config/policies.yml:2'],
  ['upstreams.llm.pipeline.retry.factor', 'default'],
  ['retryPolicies.std.maxAttempts', 'config/policies.yml:3'],
  ['upstreams.llm.pipeline.attemptTimeout.after', 'config/policies.yml:5'],
  ['upstreams.llm.pipeline.totalTimeout.after', 'config/reliability.yml:13'],
  ['upstreams.llm.health.interval', 'config/policies.yml:7'],
  ['upstreams.llm.health.path', 'default'],
  ['no.such.thing', 'default'],
])('%s comes from: %s', (path, origin) => expect(formatProvenance(result.provenance(path))).toBe(origin))

it('takes a path in parts, too', () => {
  expect(result.provenance(['server', 'gateway', 'port'])).toMatchObject({ from: 'env', variable: 'PORT', line: 3, column: 20 })
})
