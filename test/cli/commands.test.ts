import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runCommand, startCommand } from '../support/cli.ts'
import { Cleanup, startHttp } from '../support/server.ts'

const cleanup = new Cleanup()
let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-cli-'))
  cleanup.add(() => rm(folder, { recursive: true, force: true }))
})
afterEach(() => cleanup.run())

async function config(text: string): Promise<string> {
  const path = join(folder, 'reliability.yml')
  await writeFile(path, text)
  return path
}

const ports = `server: { dataDir: '{{data}}', gateway: { port: 0 }, control: { port: 0 } }`
const serverSection = (): string => ports.replace('{{data}}', join(folder, 'data'))

describe('help and usage', () => {
  it('shows the commands, and exits with 0', async () => {
    const help = await runCommand(['--help'])
    expect(help.code).toBe(0)
    expect(help.stdout).toMatch(/serve \[file\][\s\S]*validate \[file\][\s\S]*demo \[options\][\s\S]*Exit codes/)
    expect((await runCommand([])).stdout).toBe(help.stdout)
  })

  it('says what is near to an unknown command, and exits with 2', async () => {
    expect(await runCommand(['serv'])).toMatchObject({ code: 2, stderr: expect.stringContaining('Did you mean serve?') })
    expect((await runCommand(['serve', '--bogus'])).code).toBe(2)
  })

  it('uses no colours unless it may', async () => {
    const path = await config('upstreams: 5')
    const escape = String.fromCodePoint(27)
    expect((await runCommand(['validate', path])).stderr).not.toContain(escape)
    expect((await runCommand(['validate', path], { FORCE_COLOR: '1' })).stderr).toContain(escape)
    expect((await runCommand(['validate', path], { FORCE_COLOR: '1', NO_COLOR: '1' })).stderr).not.toContain(escape)
  })
})

describe('validate', () => {
  it('S71: names every error at once with its place, and exits with 2', async () => {
    const path = await config(
      'upstreams:\n  llm:\n    url: http://127.0.0.1:9\n    pipeline:\n      circuitBreaker: { failureTreshold: 5, openFor: 30 }\n',
    )
    const { code, stderr } = await runCommand(['validate', path])
    expect(code).toBe(2)
    expect(stderr).toMatch(/reliability\.yml:5:25 .*failureTreshold.*did you mean.*failureThreshold/)
    expect(stderr).toMatch(/reliability\.yml:5:54 .*openFor.*unit/)
  })

  it('S73: names a variable that is missing, with its place', async () => {
    const path = await config("upstreams:\n  llm: { url: '${LLM_URL_THAT_IS_MISSING}' }\n")
    expect(await runCommand(['validate', path])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/reliability\.yml:2:\d+ .*LLM_URL_THAT_IS_MISSING/),
    })
  })

  it('says what is valid, and exits with 0', async () => {
    const path = await config('upstreams:\n  llm: { url: http://127.0.0.1:9, pipeline: { attemptTimeout: 5s } }\n')
    expect(await runCommand(['validate', path])).toMatchObject({ code: 0, stdout: expect.stringContaining('1 upstream (llm)') })
  })

  it('names a file that is not there', async () => {
    expect(await runCommand(['validate', join(folder, 'none.yml')])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('none.yml:1:1 the file cannot be read'),
    })
  })
})

describe('serve', () => {
  it('32: serves until SIGTERM; a request under way finishes, and the exit code is 0', async () => {
    let finish: () => void = () => {}
    let asked: () => void = () => {}
    const asking = new Promise<void>((resolve) => (asked = resolve))
    const url = await startHttp((_request, response) => {
      response.write('begun ')
      finish = () => void response.end('ended')
      asked()
    }, cleanup)
    const server = startCommand([
      'serve',
      await config(`${serverSection()}\nupstreams: { up: { url: '${url}', pipeline: { attemptTimeout: 5s } } }\n`),
    ])
    cleanup.add(() => void server.child.kill('SIGKILL'))
    const gateway = /(http:\S+)\/up\//.exec(await server.says('page, /health'))?.[1] ?? ''
    const response = await fetch(`${gateway}/up/x`)
    await asking
    server.child.kill('SIGTERM')
    await server.says('holdfast is stopping')
    finish()
    expect(await response.text()).toBe('begun ended')
    expect((await server.ended).code).toBe(0)
  })

  it('S79: a port in use is one line with the way out, and exit code 1', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => {
      taken.listen(0, '127.0.0.1', resolve)
    })
    cleanup.add(() => taken.close())
    const { port } = taken.address() as AddressInfo
    const path = await config(
      `server: { dataDir: '${folder}/data', gateway: { port: ${port} }, control: { port: 0 } }\nupstreams: { up: { url: http://127.0.0.1:9, pipeline: { attemptTimeout: 5s } } }\n`,
    )
    const { code, stderr } = await runCommand(['serve', path])
    expect(code).toBe(1)
    expect(stderr.trim()).toBe(
      `holdfast: 127.0.0.1:${port} is in use by another program: stop it, or set server.gateway.port to a free port (0 takes any)`,
    )
  })

  it('S79: a data directory that cannot be written is one line with the way out, and exit code 1', async () => {
    await writeFile(join(folder, 'file'), '')
    const path = await config(
      `server: { dataDir: '${folder}/file/data', gateway: { port: 0 }, control: { port: 0 } }\nupstreams: { up: { url: http://127.0.0.1:9, pipeline: { attemptTimeout: 5s } } }\n`,
    )
    const { code, stderr } = await runCommand(['serve', path])
    expect(code).toBe(1)
    expect(stderr.trim()).toBe(
      `holdfast: ${folder}/file/data cannot be written (ENOTDIR): set server.dataDir to a folder that this user may write`,
    )
  })

  it('starts although an upstream is down, and says so to who asks', async () => {
    const server = startCommand([
      'serve',
      await config(`${serverSection()}\nupstreams: { up: { url: http://127.0.0.1:9, pipeline: { attemptTimeout: 5s } } }\n`),
    ])
    cleanup.add(() => void server.child.kill('SIGKILL'))
    const gateway = /(http:\S+)\/up\//.exec(await server.says('page, /health'))?.[1] ?? ''
    expect((await fetch(`${gateway}/up/x`)).status).toBe(502)
  })
})

describe('demo', () => {
  it('says that none runs when a fault is asked for', async () => {
    const { code, stderr } = await runCommand(['demo', '--fault', 'llm=slow:5'], { TMPDIR: folder })
    expect([code, stderr.trim()]).toEqual([
      1,
      "holdfast: no demo is running: start one with 'holdfast demo' (or 'npm start'), then ask again",
    ])
  })

  it('refuses a fault nobody knows, an odd seed, and --for without --fault, with exit code 2', async () => {
    expect(await runCommand(['demo', '--fault', 'llm=explode'])).toMatchObject({ code: 2, stderr: expect.stringContaining('explode') })
    expect(await runCommand(['demo', '--seed', 'x'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--seed has to be a whole number from 0 to 4294967295, got 'x'"),
    })
    expect((await runCommand(['demo', '--for', '5s'])).code).toBe(2)
  })
})
