import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { root } from '../../tools/workspace.mjs'

const run = promisify(execFile)
const statePath = 'node_modules/.holdfast-setup'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-install-'))
  write('package.json', JSON.stringify({ name: 'user', version: '1.0.0', private: true, workspaces: ['packages/*'] }))
  write('packages/one/package.json', JSON.stringify({ name: 'one', version: '1.0.0' }))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

// The project has a workspace and no dependency, so npm needs no network.
describe('ensureInstalled', () => {
  it('installs what is missing, and does nothing when it is there', async () => {
    expect(await ensureInstalled()).toMatch(/installing dependencies: nothing was installed here yet[^]*dependencies installed/)
    expect(existsSync(join(folder, 'node_modules/one/package.json'))).toBe(true)
    expect(await ensureInstalled()).toBe('')
  })

  it('installs again when a package.json has changed, and says which', async () => {
    await ensureInstalled()
    write('packages/two/package.json', JSON.stringify({ name: 'two', version: '1.0.0' }))
    expect(await ensureInstalled()).toContain('changed: packages/two/package.json')
    expect(existsSync(join(folder, 'node_modules/two/package.json'))).toBe(true)
  })

  it('leaves alone what the user installed with npm, and writes nothing for that', async () => {
    await ensureInstalled()
    rmSync(join(folder, statePath))
    expect(await ensureInstalled()).toBe('')
    expect(existsSync(join(folder, statePath))).toBe(false)
  })

  it('starts over after an installation that was cut off', async () => {
    await ensureInstalled()
    write(statePath, '"unfinished"')
    write('node_modules/half/package.json', '{}')
    expect(await ensureInstalled()).toContain('the last installation did not finish')
    expect(existsSync(join(folder, 'node_modules/half'))).toBe(false)
  })

  it('refuses in CI to go on with a lock file that does not fit', async () => {
    await ensureInstalled()
    write('packages/two/package.json', JSON.stringify({ name: 'two', version: '1.0.0' }))
    await expect(ensureInstalled({ CI: 'true' })).rejects.toThrow('package-lock.json does not fit the package.json files')
  })

  it('lets one of two set-ups work and the other wait for it', async () => {
    const outputs = await Promise.all([ensureInstalled(), ensureInstalled()])
    expect(outputs.filter((output) => output.includes('dependencies installed'))).toHaveLength(1)
    expect(existsSync(join(folder, '.holdfast/setup.lock'))).toBe(false)
  })

  it('takes over the lock of a process that is gone', async () => {
    const { child } = run(process.execPath, ['--version'])
    await new Promise((resolve) => child.once('exit', resolve))
    write('.holdfast/setup.lock', String(child.pid))
    expect(await ensureInstalled()).toContain('dependencies installed')
  })

  it('says in one line that the registry cannot be reached', async () => {
    write('packages/one/package.json', JSON.stringify({ name: 'one', version: '1.0.0', dependencies: { 'not-there': '1.0.0' } }))
    const environment = { npm_config_registry: 'http://127.0.0.1:9/', npm_config_cache: join(folder, 'cache') }
    await expect(ensureInstalled(environment)).rejects.toThrow('the npm registry cannot be reached')
    expect(readFileSync(join(folder, statePath), 'utf8')).toContain('unfinished')
  }, 60_000)
})

/** Runs it in a process of its own, as the tools do, and returns what it printed. */
async function ensureInstalled(environment: Readonly<Record<string, string>> = {}): Promise<string> {
  const { CI: _ci, ...inherited } = process.env
  const program = `
    import { runTool } from '${root}/tools/failure.mjs'
    import { ensureInstalled } from '${root}/tools/install.mjs'
    await runTool(() => ensureInstalled('${folder}'))`
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], {
    cwd: folder,
    env: { ...inherited, ...environment },
  })
  return stdout
}

function write(path: string, text: string): void {
  mkdirSync(join(folder, path, '..'), { recursive: true })
  writeFileSync(join(folder, path), text)
}
