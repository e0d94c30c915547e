import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatProblem, loadConfig } from '@holdfast/server'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { isOlder } from '../../tools/require-node.mjs'
import { manifestFolders, readJson, root } from '../../tools/workspace.mjs'
import { neighbour } from '../support/neighbours.ts'
import { commandIn } from './command-line.ts'
import { execForm, parseDockerfile, type Instruction, type Stage } from './dockerfile.ts'

const { args, stages } = parseDockerfile(readFileSync(join(root, 'packaging/docker/Dockerfile'), 'utf8'))
const image = stages.at(-1)!
const sample = join(root, 'packaging/docker/reliability.yml')

describe('the Dockerfile', () => {
  it('starts every stage from one release of Node.js, or from an earlier stage', () => {
    const [, release = ''] = /^node:(\d+\.\d+\.\d+)-/.exec(args.get('NODE_IMAGE') ?? '') ?? []
    expect(isOlder(release, readJson(join(root, 'package.json')).engines.node.replace('>=', ''))).toBe(false)
    const names = new Set(stages.map(({ name }) => name))
    for (const stage of stages) expect(stage.image === '${NODE_IMAGE}' || names.has(stage.image), stage.image).toBe(true)
  })

  it('runs as a user that is not root, given by number so that an orchestrator can check it', () => {
    const users = all(image, 'USER')
    expect(users).toHaveLength(1)
    expect(users[0]?.text).toMatch(/^[1-9]\d*:[1-9]\d*$/)
    const after = image.instructions.slice(image.instructions.indexOf(users[0]!))
    expect(after.filter(({ name }) => name === 'RUN' || name === 'COPY')).toEqual([])
  })

  it('leaves nothing but its working folder to that user', () => {
    expect(all(image, 'COPY').filter(({ options }) => options.has('chown'))).toEqual([])
    const folder = one(image, 'WORKDIR').text
    expect(one(image, 'VOLUME').text).toBe(folder)
    const [uid, gid] = one(image, 'USER').text.split(':')
    expect(all(image, 'RUN').map(({ text }) => text)).toEqual([`install -d -o ${uid} -g ${gid} -m 0750 ${folder}`])
  })

  it('starts without a shell, so that signals reach Node.js, with a command that exists', async () => {
    const entry = commandOf('ENTRYPOINT')
    expect(entry).toEqual(['node', `/app/packages/cli/${readJson(join(root, 'packages/cli/package.json')).bin.holdfast}`])
    expect(await commandIn(commandOf('CMD'))).toBe('serve')
    expect(one(image, 'STOPSIGNAL').text).toBe('SIGTERM')
  })

  it('asks for its health with the same command', async () => {
    const check = one(image, 'HEALTHCHECK')
    const command = execForm(check.text.replace(/^CMD /, '')) ?? []
    expect(command.slice(0, 2)).toEqual(commandOf('ENTRYPOINT'))
    expect(await commandIn(command.slice(2))).toBe('probe')
    expect([...check.options.keys()]).toEqual(expect.arrayContaining(['interval', 'timeout', 'start-period', 'retries']))
  })

  it('opens the ports that a configuration has when it names none', () => {
    const loaded = loadConfig(sample, { env: { HOLDFAST_TOKEN: 'x'.repeat(24) } })
    if (!loaded.ok) throw new Error(loaded.errors.map(formatProblem).join('\n'))
    const { gateway, control } = loaded.config.server
    expect(one(image, 'EXPOSE').text.split(' ').map(Number)).toEqual([gateway.port, control.port])
  })

  it('copies what exists and is not left out, and the manifest of every workspace', () => {
    const copied = stages.flatMap((stage) => all(stage, 'COPY')).filter(({ options }) => !options.has('from'))
    const files = copied.flatMap(({ text }) => text.split(' ').slice(0, -1))
    for (const file of files) expect(existsSync(join(root, file)) && !isIgnored(file), file).toBe(true)
    expect(files).toEqual(expect.arrayContaining(manifestFolders(root).map((folder) => join(folder, 'package.json'))))
    expect(['packages/server/src/index.ts', 'tools/pack.mjs', 'LICENSE'].filter(isIgnored)).toEqual([])
    expect(['.git', 'node_modules', 'packages/cli/node_modules', 'packages/server/dist'].filter((path) => !isIgnored(path))).toEqual([])
  })

  it('takes files only from stages that come before', () => {
    const sources = stages.flatMap((stage, index) =>
      all(stage, 'COPY').flatMap(({ options }) =>
        options.has('from') ? [{ from: options.get('from'), before: stages.slice(0, index) }] : [],
      ),
    )
    expect(sources.length).toBeGreaterThan(0)
    expect(sources.filter(({ from, before }) => !before.some(({ name }) => name === from))).toEqual([])
  })

  it('holds no secret, fetches nothing but packages, and runs none of their scripts', () => {
    const everything = stages.flatMap(({ instructions }) => instructions)
    expect(everything.filter(({ name }) => ['ADD', 'ONBUILD', 'SHELL'].includes(name))).toEqual([])
    expect(everything.filter(({ name, text }) => /^(ENV|ARG)$/.test(name) && /token|secret|passw|key/i.test(text))).toEqual([])
    const commands = everything.filter(({ name }) => name === 'RUN').map(({ text }) => text)
    expect(commands.filter((text) => /curl|wget|apt-get|sudo|chmod/.test(text))).toEqual([])
    for (const text of commands.filter((command) => command.includes('npm'))) expect(text).toContain('--ignore-scripts')
    const shipped = stages.find(({ name }) => name === 'production')!
    expect(one(shipped, 'RUN').text).toContain('--omit=dev')
  })
})

describe('the sample configuration for a container', () => {
  it('is valid when its token is given, warns of nothing but the missing TLS, and says what is missing when there is no token', () => {
    const loaded = loadConfig(sample, { env: { HOLDFAST_TOKEN: 'x'.repeat(24) } })
    expect(loaded.ok && loaded.warnings.map(({ message }) => message)).toEqual([expect.stringContaining('without TLS')])
    const without = loadConfig(sample, { env: {} })
    expect(without.ok ? [] : without.errors.map(formatProblem)).toEqual([expect.stringContaining('HOLDFAST_TOKEN')])
  })
})

describe('as the first process of a container', () => {
  let folder: string
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'holdfast-container-'))))
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('ends on SIGTERM with exit code 0, without an init in front of it', async ({ skip }) => {
    const unshare = neighbour('unshare', { apt: 'util-linux' })
    const namespace = ['--user', '--map-root-user', '--pid', '--fork', '--mount-proc', '--kill-child']
    if (spawnSync(unshare, [...namespace, 'true']).status !== 0) skip('this machine lets nobody make a namespace')
    const config = join(folder, 'reliability.yml')
    writeFileSync(config, `server: { dataDir: ${folder}/data, gateway: { port: 0 }, control: { port: 0 } }\nupstreams: {}\n`)
    const entry = [process.execPath, '--conditions=@holdfast/source', '--import', 'tsx', join(root, 'test/support/cli-entry.ts')]
    const child = spawn(unshare, [...namespace, ...entry, commandOf('CMD')[0]!, config], { cwd: root, stdio: 'ignore' })
    const ended = new Promise((resolve) => child.once('exit', resolve))
    try {
      const run = await vi.waitFor(() => readJson(runFileIn(folder)), { timeout: 20_000, interval: 20 })
      expect(run.pid).toBe(1)
      const [first] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ')
      process.kill(Number(first), 'SIGTERM')
      expect(await ended).toBe(0)
    } finally {
      child.kill('SIGKILL')
    }
  })
})

function runFileIn(folder: string): string {
  return join(folder, 'data/server.json')
}

function all(stage: Stage, name: string): readonly Instruction[] {
  return stage.instructions.filter((instruction) => instruction.name === name)
}

function one(stage: Stage, name: string): Instruction {
  const found = all(stage, name)
  expect(found.length, name).toBe(1)
  return found[0]!
}

function commandOf(name: 'ENTRYPOINT' | 'CMD'): readonly string[] {
  return execForm(one(image, name).text) ?? []
}

function isIgnored(path: string): boolean {
  const patterns = readFileSync(join(root, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  return patterns.some((pattern) => ignores(pattern).test(path))
}

/** The patterns that our file holds: names, `*` within a name, `**` before it. */
function ignores(pattern: string): RegExp {
  const source = pattern.replaceAll('.', '\\.').replaceAll('**/', '(.+/)?').replaceAll('*', '[^/]*')
  return new RegExp(`^${source}(/|$)`)
}
