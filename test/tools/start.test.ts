import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { root } from '../../tools/workspace.mjs'

const run = promisify(execFile)
const start = join(root, 'tools/start.mjs')
const timeLimitMs = 120_000

it(
  'hands its arguments to the demonstration, from whatever folder it is started',
  async () => {
    const { stdout } = await run(process.execPath, [start, '--help'], { cwd: '/' })
    expect(stdout).toContain('Usage: holdfast demo')
  },
  timeLimitMs,
)

it(
  'ends with the exit code of the demonstration',
  async () => {
    await expect(run(process.execPath, [start, '--no-such-option'])).rejects.toMatchObject({ code: 2 })
  },
  timeLimitMs,
)
