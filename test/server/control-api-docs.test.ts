import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { afterEach, expect, it } from 'vitest'
import { root } from '../../tools/workspace.mjs'
import { findSnippets } from '../support/markdown-snippets.ts'
import { Cleanup, startHoldfast } from '../support/server.ts'

const run = promisify(execFile)
const cleanup = new Cleanup()
afterEach(() => cleanup.run())

it('docs/control-api.md: every curl on the page does what it says, in its order', async () => {
  const snippets = findSnippets(await readFile(`${root}/docs/control-api.md`, 'utf8'))
  const commands = snippets.flatMap(({ language, code }) =>
    language === 'sh' ? code.split('\n').filter((line) => line.startsWith('curl -fsS ')) : [],
  )
  expect(commands.length).toBeGreaterThan(10)
  const server = await startHoldfast(
    "upstreams:\n  llm: { url: 'http://127.0.0.1:9', pipeline: { circuitBreaker: {}, attemptTimeout: 1s } }\n",
    cleanup,
  )
  const env = { ...process.env, HOLDFAST_TOKEN: 'operator-token-0123456789' }
  const seen: string[] = []
  for (const command of commands) {
    const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', command.replaceAll('http://127.0.0.1:8000', server.controlUrl)], {
      env,
      timeout: 10_000,
    })
    seen.push(stdout)
  }
  const audit = (await (await fetch(`${server.controlUrl}/api/v1/audit`)).json()) as {
    readonly verified: boolean
    readonly records: readonly { action: string }[]
  }
  expect(audit.verified).toBe(true)
  expect(audit.records.map(({ action }) => action).toReversed()).toEqual([
    'policy.isolate',
    'policy.close',
    'dependency.silenced',
    'dependency.silence-ended',
    'note.added',
  ])
  expect(seen[4]).toContain('"id":"circuit-breaker/llm"')
})
