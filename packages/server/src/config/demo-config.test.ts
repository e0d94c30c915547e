import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { loadConfig } from './load-config.ts'

const demo = fileURLToPath(new URL('../../../cli/assets/demo/reliability.yml', import.meta.url))

it("the demonstration's configuration loads without problems and warnings", () => {
  const result = loadConfig(demo, { env: {} })
  expect(result.ok ? [] : result.errors).toEqual([])
  expect(result.warnings).toEqual([])
  if (!result.ok) return
  const { llm } = result.config.upstreams
  expect(llm?.url).toBe('http://127.0.0.1:9001')
  expect(llm?.pipeline.order).toEqual(['totalTimeout', 'retry', 'circuitBreaker', 'rateLimiter', 'bulkhead', 'attemptTimeout'])
  expect(result.config.server.tokens).toEqual([])
})

it('takes its addresses, ports and token from the environment', () => {
  const env = {
    HOLDFAST_DEMO_LLM_URL: 'http://127.0.0.1:19001',
    HOLDFAST_GATEWAY_PORT: '0',
    HOLDFAST_CONTROL_PORT: '0',
    HOLDFAST_TOKEN: '0123456789abcdef',
  }
  const result = loadConfig(demo, { env })
  expect(result.ok && result.config.upstreams.llm?.url).toBe('http://127.0.0.1:19001')
  expect(result.ok && result.config.server).toMatchObject({
    gateway: { port: 0 },
    control: { port: 0 },
    tokens: [{ name: 'demo', role: 'operate' }],
  })
  expect(result.warnings).toEqual([])
})
