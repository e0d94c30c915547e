import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runCommand, startCommand, type RunningCommand } from '../support/cli.ts'
import { Cleanup } from '../support/server.ts'

const cleanup = new Cleanup()
let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-cli-config-'))
  cleanup.add(() => rm(folder, { recursive: true, force: true }))
})
afterEach(() => cleanup.run())

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}

const upstream = (connections: number): string =>
  `upstreams:\n  llm:\n    url: http://127.0.0.1:9\n    connections: ${connections}\n    headers: { x-key: canary-secret }\n    pipeline: { retry: std, attemptTimeout: 5s }\nretryPolicies:\n  std: { maxAttempts: 4 }\n`

describe('config print', () => {
  it('prints what is in force, and validate takes it again as the same', async () => {
    const path = await file('a.yml', `server:\n  tokens: [{ name: ops, role: operate, value: canary-secret-token }]\n${upstream(3)}`)
    const printed = await runCommand(['config', 'print', path])
    expect(printed).toMatchObject({ code: 0, stderr: '' })
    expect(printed.stdout).toContain('connections: 3')
    expect(printed.stdout).toContain('maxDelay: 30s')
    expect(printed.stdout).not.toContain('canary')
    const again = await file('b.yml', printed.stdout)
    expect((await runCommand(['validate', again])).code).toBe(0)
    const { code, stdout } = await runCommand(['config', 'diff', path, again])
    expect([code, stdout.trim().split('\n')]).toEqual([1, ['server.tokens[0].value: *** → ***', 'upstreams.llm.headers.x-key: *** → ***']])
  })

  it('says where each setting comes from', async () => {
    const path = await file('a.yml', "server: { log: { level: '${LEVEL}' } }\n" + upstream(3))
    const { stdout } = await runCommand(['config', 'print', path, '--provenance'], { LEVEL: 'debug' })
    expect(stdout).toMatch(/level: debug # env LEVEL \(.*a\.yml:1\)/)
    expect(stdout).toMatch(/connections: 3 # .*a\.yml:5/)
    expect(stdout).toMatch(/connectTimeout: 10s # default/)
    const json = JSON.parse((await runCommand(['config', 'print', path, '--provenance', '--json'], { LEVEL: 'debug' })).stdout) as object[]
    expect(json).toContainEqual({ path: 'server.log.level', value: 'debug', source: 'environment', where: 'LEVEL' })
  })

  it('exits with 2 and every problem when the file is wrong', async () => {
    const path = await file('a.yml', 'upstreams:\n  llm: { ulr: http://127.0.0.1:9 }\n')
    expect(await runCommand(['config', 'print', path])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining("did you mean 'url'"),
    })
  })
})

describe('config diff', () => {
  it('exits with 0 when nothing differs, 1 when something does, 2 when it cannot compare', async () => {
    const [first, second] = [await file('a.yml', upstream(3)), await file('b.yml', upstream(4))]
    expect(await runCommand(['config', 'diff', first, first])).toMatchObject({ code: 0, stdout: '' })
    expect(await runCommand(['config', 'diff', first, second])).toMatchObject({ code: 1, stdout: 'upstreams.llm.connections: 3 → 4\n' })
    expect(JSON.parse((await runCommand(['config', 'diff', first, second, '--json'])).stdout)).toEqual([
      { path: 'upstreams.llm.connections', before: '3', after: '4' },
    ])
    expect((await runCommand(['config', 'diff', first, join(folder, 'none.yml')])).code).toBe(2)
    expect(await runCommand(['config', 'diff', first, '--data-dir', folder])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no server is running'),
    })
  })
})

const token = 'operator-token-0123456789'

describe('a server that runs', () => {
  let path = ''
  let server: RunningCommand
  let dataDir = ''
  const text = (connections: number): string =>
    `server:\n  dataDir: '${dataDir}'\n  gateway: { port: 0 }\n  control: { port: 0 }\n  reload: { watch: false }\n  tokens: [{ name: ops, role: operate, value: ${token} }]\n${upstream(connections)}`

  beforeEach(async () => {
    dataDir = join(folder, 'data')
    path = await file('a.yml', text(3))
    server = startCommand(['serve', path])
    cleanup.add(() => void server.child.kill('SIGKILL'))
    await server.says('page, /health')
  })

  it('is compared with a file, told to reload, and says what came of it', async () => {
    const ask = ['--data-dir', dataDir]
    const env = { HOLDFAST_TOKEN: token }
    expect(await runCommand(['config', 'diff', path, ...ask], env)).toMatchObject({ code: 0, stdout: '' })
    await writeFile(path, text(4))
    expect(await runCommand(['config', 'diff', path, ...ask], env)).toMatchObject({ code: 1, stdout: 'upstreams.llm.connections: 3 → 4\n' })
    expect(await runCommand(['reload', ...ask], env)).toMatchObject({
      code: 0,
      stdout: 'upstreams.llm.connections: 3 → 4\nconfiguration 2 is in force\n',
    })
    await writeFile(path, text(4).replace('connections', 'conections'))
    expect(await runCommand(['reload', ...ask], env)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/a\.yml:10:5 upstreams\.llm\.conections: .*\n.*earlier one goes on/),
    })
    expect(await runCommand(['reload', ...ask])).toMatchObject({ code: 2, stderr: expect.stringContaining('HOLDFAST_TOKEN') })
  })

  it('loads its configuration anew on SIGHUP', async () => {
    await writeFile(path, text(5))
    server.child.kill('SIGHUP')
    await server.says('"trigger":"signal"')
    expect(await runCommand(['config', 'diff', path, '--data-dir', dataDir], { HOLDFAST_TOKEN: token })).toMatchObject({ code: 0 })
  })
})
