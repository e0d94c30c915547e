import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it, TestRunner, vi } from 'vitest'
import { neighbour } from './neighbours.ts'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-neighbours-'))
afterAll(() => rmSync(folder, { recursive: true }))

function program(name: string): string {
  const path = join(folder, name)
  writeFileSync(path, '#!/bin/sh\n', { mode: 0o755 })
  return path
}

it('finds a program on the PATH under any of its names', () => {
  const path = program('bobolink-browser')
  expect(neighbour('bobolink', { candidates: ['bobolink', 'bobolink-browser'] }, { PATH: folder })).toBe(path)
})

it('prefers the path in the environment variable', () => {
  program('corncrake')
  const own = program('my-corncrake')
  expect(neighbour('corncrake', {}, { PATH: folder, HOLDFAST_CORNCRAKE: own })).toBe(own)
})

it('fails with what to install when CI is set and the program is missing', () => {
  expect(() => neighbour('no-such-bird', { env: 'HOLDFAST_BIRD', apt: 'birds' }, { PATH: folder, CI: 'true' })).toThrow(
    /no-such-bird is not on the PATH; set HOLDFAST_BIRD .*birds.*With CI set/,
  )
})

it('skips the running test, and says so, when the program is missing', () => {
  const said = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  const skip = vi.fn<() => never>(() => {
    throw new Error('this test is skipped')
  })
  const running = vi.spyOn(TestRunner, 'getCurrentTest').mockReturnValue({ context: { skip } } as never)
  try {
    expect(() => neighbour('no-such-bird', {}, { PATH: folder })).toThrow('this test is skipped')
    expect(skip).toHaveBeenCalledWith(expect.stringMatching(/^no-such-bird is not on the PATH/))
    expect(said).toHaveBeenCalledWith(expect.stringMatching(/^SKIPPED: no-such-bird is not on the PATH/))
  } finally {
    running.mockRestore()
    said.mockRestore()
  }
})
