import { execFile } from 'node:child_process'
import { afterEach, expect, it } from 'vitest'
import { root } from '../tools/workspace.mjs'
import { Cleanup, startHttp } from './support/server.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

/** Runs an example as its reader would, on the source. */
function run(name: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      ['--conditions=@holdfast/source', '--import', 'tsx', `examples/${name}.ts`],
      { cwd: root, env: { ...process.env, ...env }, timeout: 25_000 },
      (error, stdout, stderr) => (error === null ? resolve(stdout) : reject(new Error(stderr, { cause: error }))),
    )
  })
}

it('protect-a-fetch: retries get every call through a dependency that fails two requests of five', async () => {
  const output = await run('protect-a-fetch')
  expect(output.match(/^call \d: request \d+$/gm)).toHaveLength(5)
  expect(output).toContain("state: 'closed'")
})

it('system: the fallback answers, the circuit opens, health and metrics say so', async () => {
  const output = await run('system')
  expect(output.match(/try again later/g)).toHaveLength(5)
  expect(output).toContain("degraded: circuit breaker 'payments' is open")
  expect(output).toContain('resilience_circuitbreaker_calls_total{name="payments",outcome="refused"} 2')
})

it('openai-through-the-gateway: prints what is streamed', async () => {
  const url = await startHttp((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const content of ['re', 'liable']) response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`)
    response.end('data: [DONE]\n\n')
  }, cleanup)
  expect(await run('openai-through-the-gateway', { LLM_BASE_URL: `${url}/v1` })).toBe('reliable\n')
})
