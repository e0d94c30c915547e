import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Libsql from 'libsql'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runCommand } from '../support/cli.ts'
import { Cleanup, startHoldfast, type TestServer } from '../support/server.ts'

const cleanup = new Cleanup()
let empty = ''
beforeEach(() => {
  empty = mkdtempSync(join(tmpdir(), 'holdfast-empty-'))
})
afterEach(async () => {
  await cleanup.run()
  rmSync(empty, { recursive: true, force: true })
})

const env = { HOLDFAST_TOKEN: 'operator-token-0123456789' }
const start = (): Promise<TestServer> =>
  startHoldfast("upstreams:\n  llm: { url: 'http://127.0.0.1:9', pipeline: { circuitBreaker: {}, attemptTimeout: 1s } }\n", cleanup)
const stateOf = (server: TestServer): unknown => server.system.get('circuit-breaker/llm').status()['state']

describe('holdfast force', () => {
  it('sets the state of a breaker of the running server, found by its folder or its address', async () => {
    const server = await start()
    const args = ['force', 'circuit-breaker/llm', 'isolate', '--reason', 'a drill', '--for', '15m', '--data-dir', server.dataDir]
    const forced = await runCommand(args, env)
    expect([forced.code, forced.stdout]).toEqual([0, expect.stringMatching(/^circuit-breaker\/llm is isolated until \d{4}-.*Z\n$/)])
    expect(stateOf(server)).toBe('isolated')
    const closed = await runCommand(['force', 'circuit-breaker/llm', 'close', '--reason', 'over', '--url', `${server.controlUrl}/`], env)
    expect([closed.code, closed.stdout]).toEqual([0, 'circuit-breaker/llm is closed\n'])
    expect(stateOf(server)).toBe('closed')
  })

  it('says in a line what stands in the way', async () => {
    const server = await start()
    const change = ['force', 'circuit-breaker/llm', 'isolate', '--reason', 'x']
    const here = ['--data-dir', server.dataDir]
    const wrong: [string[], NodeJS.ProcessEnv, number, string][] = [
      [[...change, ...here], {}, 2, 'HOLDFAST_TOKEN is not set'],
      [[...change, ...here], { HOLDFAST_TOKEN: 'wrong' }, 1, 'does not know the token in HOLDFAST_TOKEN'],
      [[...change, ...here], { HOLDFAST_TOKEN: 'reader-token-0123456789' }, 1, "needs the role 'operate'"],
      [[...change, '--data-dir', empty], env, 1, "start it with 'holdfast serve'"],
      [[...change, '--url', 'localhost:8000'], env, 2, '--url has to be'],
      [[...change, '--url', 'http://127.0.0.1:1'], env, 1, 'does not answer'],
      [['force', 'circuit-breaker/nobody', 'isolate', '--reason', 'x', ...here], env, 1, 'there is no policy of that id'],
      [['force', 'circuit-breaker/llm', 'explode', '--reason', 'x', ...here], env, 2, 'Allowed choices are'],
      [['force', 'circuit-breaker/llm', 'isolate', ...here], env, 2, '--reason'],
      [[...change, '--for', 'soon', ...here], env, 1, "such as '15m'"],
    ]
    const answers = await Promise.all(wrong.map(([args, environment]) => runCommand(args, environment)))
    for (const [index, { code, stderr }] of answers.entries()) {
      const [args, , expected, message] = wrong[index] as (typeof wrong)[number]
      expect([args, code, stderr]).toEqual([args, expected, expect.stringContaining(message)])
      expect(stderr).not.toContain('    at ')
    }
    expect(stateOf(server)).toBe('closed')
  }, 60_000)
})

describe('S52: holdfast silence', () => {
  it('does what the API does', async () => {
    const server = await start()
    const here = ['--data-dir', server.dataDir]
    const begun = await runCommand(['silence', 'llm', '--for', '1h', '--reason', 'maintenance', ...here], env)
    expect([begun.code, begun.stdout]).toEqual([0, expect.stringMatching(/^llm is silenced until \d{4}-.*Z\n$/)])
    const health = (await (await fetch(`${server.controlUrl}/health`)).json()) as { readonly silenced: unknown }
    expect(health.silenced).toEqual(['llm'])
    expect((await runCommand(['silence', 'llm', '--end', ...here], env)).stdout).toBe('llm is no longer silenced\n')
    expect((await runCommand(['silence', 'llm', '--end', ...here], env)).stderr).toContain('is not silenced')
    expect((await runCommand(['silence', 'llm', '--for', '1h', ...here], env)).code).toBe(2)
  }, 60_000)
})

describe('S13: holdfast audit', () => {
  it('prints who changed what, and finds what was altered', async () => {
    const server = await start()
    const here = ['--data-dir', server.dataDir]
    await runCommand(['force', 'circuit-breaker/llm', 'isolate', '--reason', 'red \u001b[31m\u202etext', ...here], env)
    await runCommand(['silence', 'llm', '--for', '1h', '--reason', 'maintenance', ...here], env)
    const printed = await runCommand(['audit', ...here])
    const lines = printed.stdout.trimEnd().split('\n')
    expect(lines[0]).toMatch(
      /^1 \d{4}-\S+Z operator from 127\.0\.0\.1 policy\.isolate circuit-breaker\/llm: red \\u\{1b\}\[31m\\u\{202e\}text$/,
    )
    expect(lines[1]).toMatch(/^2 \S+ operator from 127\.0\.0\.1 dependency\.silenced llm until \S+: maintenance$/)
    const json = await runCommand(['audit', '--json', '--limit', '1', ...here])
    expect(JSON.parse(json.stdout)).toMatchObject({ id: 2, who: 'operator', reason: 'maintenance' })
    const verified = await runCommand(['audit', '--verify', ...here])
    expect([verified.code, verified.stdout]).toEqual([
      0,
      expect.stringMatching(/^2 records, none altered, none missing; the last is 2, its hash [0-9a-f]{64}\n$/),
    ])
    await server.close()
    const other = new Libsql(join(server.dataDir, 'audit.db'))
    other.exec("DROP TRIGGER audit_is_not_altered; UPDATE audit SET reason = 'nothing' WHERE id = 1")
    other.close()
    const tampered = await runCommand(['audit', '--verify', ...here])
    expect([tampered.code, tampered.stderr]).toEqual([1, expect.stringContaining('record 1 does not fit its hash')])
  }, 60_000)

  it('says where it looked when there is none', async () => {
    const { code, stderr } = await runCommand(['audit', '--data-dir', empty])
    expect([code, stderr]).toEqual([1, expect.stringContaining(`there is no audit log at ${empty}/audit.db`)])
  })
})
