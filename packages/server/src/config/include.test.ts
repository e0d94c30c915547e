import { mkdirSync, renameSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { errorsOf, loaded, warningsOf, workspace, type Workspace } from './config.fixture.ts'

const spaces: Workspace[] = []
function files(content: Readonly<Record<string, string>>): Workspace {
  const space = workspace(Object.fromEntries(Object.entries(content).map(([file, text]) => [`config/${file}`, text])))
  spaces.push(space)
  return space
}
afterEach(() => {
  for (const space of spaces.splice(0)) space.remove()
})

describe('include', () => {
  it('puts the sections of several files together', () => {
    const space = files({
      'reliability.yml':
        'include: [circuit-breakers.yml, more/retry-policies.yml]\ncircuitBreakers: { a: {} }\nserver: { gateway: { port: 1 } }\n',
      'circuit-breakers.yml': 'circuit_breakers: { b: {} }\nserver: { control: { port: 2 } }\n',
      'more/retry-policies.yml': 'include: sub.yml\nretryPolicies: { r: {} }\n',
      'more/sub.yml': 'timeouts: { t: 1s }\n',
    })
    const { config, files: paths } = loaded(space.load())
    expect(Object.keys(config.circuitBreakers)).toEqual(['a', 'b'])
    expect(Object.keys(config.retryPolicies)).toEqual(['r'])
    expect(config.timeouts.t?.after).toBe(1_000)
    expect(config.server).toMatchObject({ gateway: { port: 1 }, control: { port: 2 } })
    expect(paths.map((path) => path.slice(space.directory.length + 1))).toEqual([
      'config/reliability.yml',
      'config/circuit-breakers.yml',
      'config/more/retry-policies.yml',
      'config/more/sub.yml',
    ])
  })

  it('takes patterns, each file once, and not the file itself', () => {
    const space = files({
      'reliability.yml': "include: [b.yml, '*.yml']\n",
      'a.yml': 'timeouts: { a: 1s }\n',
      'b.yml': 'timeouts: { b: 1s }\n',
    })
    expect(Object.keys(loaded(space.load()).config.timeouts)).toEqual(['b', 'a'])
  })

  it('warns of a pattern that matches nothing', () => {
    const space = files({ 'reliability.yml': "include: ['*.yaml']\n" })
    expect(warningsOf(space.load())).toContain('1:11 include[0]: matches no further file')
  })

  it('a name that is defined twice is an error with both places', () => {
    const space = files({
      'reliability.yml': 'include: [a.yml]\nbulkheads:\n  x: { maxConcurrent: 1 }\nserver:\n  log: { level: info }\n',
      'a.yml': 'bulkheads:\n  x: { maxConcurrent: 1 }\nserver:\n  log: {}\n',
    })
    expect(errorsOf(space.load())).toEqual([
      'config/a.yml:2:3 bulkheads.x: is already defined in config/reliability.yml:3:3',
      'config/a.yml:4:3 server.log: is already defined in config/reliability.yml:5:3',
    ])
  })

  it('a file that is missing, a directory or broken is an error at the place that names it', () => {
    const space = files({
      'reliability.yml': 'include:\n  - gone.yml\n  - dir\n  - big.yml\n  - 5\n',
      'dir/x': '',
      'big.yml': '#'.repeat(1024 ** 2 + 1),
    })
    expect(errorsOf(space.load())).toEqual([
      '2:5 include[0]: config/gone.yml cannot be read: no such file',
      '3:5 include[1]: config/dir is a directory',
      '4:5 include[2]: config/big.yml is too large: 1048577 bytes, at most 1MiB are read',
      '5:5 include[3]: must be a path relative to this file',
    ])
  })

  it('a missing file does not make what it may define unknown', () => {
    const space = files({ 'reliability.yml': 'include: gone.yml\nupstreams: { a: { url: "http://a", pipeline: { retry: fromGone } } }\n' })
    expect(errorsOf(space.load())).toEqual(['1:10 include: config/gone.yml cannot be read: no such file'])
  })

  it('a circle is an error that names its files', () => {
    const space = files({ 'reliability.yml': 'include: a.yml\n', 'a.yml': 'include: b.yml\n', 'b.yml': 'include:\n  - a.yml\n' })
    expect(errorsOf(space.load())).toEqual([
      'config/b.yml:2:5 include[0]: the files include one another in a circle: config/a.yml → config/b.yml → config/a.yml',
    ])
  })

  it.each(['../outside.yml', '/etc/hosts', '../*.yml', 'sub/../../outside.yml', 'link.yml'])(
    '%s may not lead out of the directory',
    (path) => {
      const space = files({ 'reliability.yml': `include: ['${path}']\n` })
      space.write('outside.yml', 'timeouts: { x: 1s }\n')
      symlinkSync(join(space.directory, 'outside.yml'), join(space.directory, 'config/link.yml'))
      expect(errorsOf(space.load())).toEqual([
        "1:11 include[0]: must stay within the directory of the configuration: no '..' and no link that leads out of it",
      ])
    },
  )

  it('links within the directory are fine: Kubernetes mounts a ConfigMap that way', () => {
    const space = files({ '..data_1/reliability.yml': 'include: [a.yml]\n', '..data_1/a.yml': 'timeouts: { x: 1s }\n' })
    const config = join(space.directory, 'config')
    symlinkSync('..data_1', join(config, '..data'))
    for (const file of ['reliability.yml', 'a.yml']) symlinkSync(`..data/${file}`, join(config, file))
    expect(loaded(space.load()).config.timeouts.x?.after).toBe(1_000)
    mkdirSync(join(config, '..data_2'))
    space.write('config/..data_2/reliability.yml', 'include: [a.yml]\n')
    space.write('config/..data_2/a.yml', 'timeouts: { x: 2s }\n')
    symlinkSync('..data_2', join(config, '..data_tmp'))
    renameSync(join(config, '..data_tmp'), join(config, '..data'))
    expect(loaded(space.load()).config.timeouts.x?.after).toBe(2_000)
  })

  it('a path that no message could show on one line is refused', () => {
    expect(errorsOf(files({ 'reliability.yml': 'include: ["a\\nb"]\n' }).load())).toEqual([
      '1:11 include[0]: must be a path without control characters, quotes and backslashes',
    ])
  })

  it('has a limit of 100 files', () => {
    const many = Object.fromEntries(Array.from({ length: 110 }, (_, index) => [`f${index}.yml`, '']))
    expect(errorsOf(files({ ...many, 'reliability.yml': "include: ['f*.yml']\n" }).load())[0]).toBe(
      '1:11 include[0]: a configuration has at most 100 files',
    )
  })
})
