import { expect, it } from 'vitest'
import { workspace } from './config.fixture.ts'
import { loadedConfig, readConfig } from './load-config.ts'
import { redactedConfig } from './redact.ts'

it('a configuration that comes from another thread is the same as one that was loaded at once', () => {
  const space = workspace({
    'config/reliability.yml': `circuitBreakers:\n  std: { failureThreshold: 3 }\nupstreams:\n  a: { url: 'http://127.0.0.1:1', headers: { x-key: '\${file:key}' }, pipeline: { circuitBreaker: std } }\n  b: { url: 'http://127.0.0.1:\${SECRET_PORT}', pipeline: { circuitBreaker: std } }\n`,
    'config/key': 'canary',
  })
  const env = { SECRET_PORT: '4711' }
  const here = space.load(env)
  const there = loadedConfig(structuredClone(readConfig('config/reliability.yml', { env, cwd: space.directory })))
  space.remove()
  if (!here.ok || !there.ok) throw new Error('the configuration is wrong')
  expect(there.config).toEqual(here.config)
  expect(there.config.upstreams['toString']).toBeUndefined()
  expect(there.config.upstreams['a']?.pipeline.circuitBreaker).toBe(there.config.circuitBreakers['std'])
  expect(there.config.upstreams['b']?.pipeline.circuitBreaker).toBe(there.config.circuitBreakers['std'])
  expect(Object.isFrozen(there.config.upstreams['a']?.pipeline)).toBe(true)
  expect(redactedConfig(there.config)).toEqual(redactedConfig(here.config))
  expect(JSON.stringify(redactedConfig(there.config))).not.toMatch(/canary|4711/)
  expect(there.provenance('upstreams.a.pipeline.circuitBreaker.failureThreshold')).toEqual(
    here.provenance('upstreams.a.pipeline.circuitBreaker.failureThreshold'),
  )
  expect([there.digest, there.files, there.stamps]).toEqual([here.digest, here.files, here.stamps])
})
