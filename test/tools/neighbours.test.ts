import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findNeighbour, neighbours, testNeighbours } from '../../tools/neighbours.mjs'

const neighbour = {
  name: 'Neighbour',
  variable: 'HOLDFAST_NEIGHBOUR',
  commands: ['neighbour', 'nb'],
  debianPackage: 'neighbour',
  usedFor: 'x',
  neededBy: 'tests' as const,
}

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-neighbours-'))
  mkdirSync(join(folder, 'bin/neighbour'), { recursive: true })
  for (const [name, mode] of [
    ['nb', 0o755],
    ['plain.txt', 0o644],
  ] as const) {
    writeFileSync(join(folder, 'bin', name), '#!/bin/sh\n')
    chmodSync(join(folder, 'bin', name), mode)
  }
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('findNeighbour', () => {
  it('takes the first of its commands that is an executable file on the PATH', () => {
    const PATH = [join(folder, 'nowhere'), join(folder, 'bin')].join(delimiter)
    expect(findNeighbour(neighbour, { PATH })).toEqual({ path: join(folder, 'bin/nb') })
  })

  it('prefers the path in its environment variable', () => {
    const given = join(folder, 'bin/nb')
    expect(findNeighbour(neighbour, { PATH: '', HOLDFAST_NEIGHBOUR: given })).toEqual({ path: given })
  })

  it.each(['bin/plain.txt', 'bin/gone', 'bin'])('refuses a variable that names no program (%s), even if one is on the PATH', (path) => {
    const found = findNeighbour(neighbour, { PATH: join(folder, 'bin'), HOLDFAST_NEIGHBOUR: join(folder, path) })
    expect(found).toEqual({ missing: `HOLDFAST_NEIGHBOUR names ${join(folder, path)}, which is not an executable file` })
  })

  it('says what would provide a program that is missing', () => {
    const missing = 'Neighbour is not on the PATH; set HOLDFAST_NEIGHBOUR to its executable, or install it (Debian package: neighbour)'
    expect(findNeighbour(neighbour, { PATH: '' })).toEqual({ missing })
  })
})

it('every neighbour has a variable of its own', () => {
  const variables = Object.values(neighbours).map(({ variable }) => variable)
  expect(new Set(variables).size).toBe(variables.length)
  for (const variable of variables) expect(variable).toMatch(/^HOLDFAST_[A-Z]+$/)
})

it('npm test neither installs nor asks for what only the benchmark runs', () => {
  const names = testNeighbours().map(({ name }) => name)
  expect(names).toEqual(expect.arrayContaining(['promtool', 'Prometheus', 'Chromium']))
  expect(names).not.toContain(neighbours.nginx.name)
  expect(names).not.toContain(neighbours.haproxy.name)
})
