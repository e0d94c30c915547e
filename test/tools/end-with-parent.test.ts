import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { root } from '../../tools/workspace.mjs'

it('a tool that npm started ends when the shell around it dies', async () => {
  const tool = `
    import { endWithParent } from '${root}/tools/end-with-parent.mjs'
    endWithParent()
    process.on('SIGTERM', () => { console.log('told to end'); process.exit(0) })
    setTimeout(() => {}, 20_000)
    console.log('ready')`
  const shell = `
    import { spawn } from 'node:child_process'
    spawn(process.execPath, ['--input-type=module', '-e', ${JSON.stringify(tool)}], { stdio: 'inherit' })`
  const env = { ...process.env, npm_lifecycle_event: 'start' }
  const child = spawn(process.execPath, ['--input-type=module', '-e', shell], { stdio: ['ignore', 'pipe', 'inherit'], env })
  child.stdout.setEncoding('utf8')
  expect(await once(child.stdout, 'data')).toEqual(['ready\n'])
  child.kill('SIGKILL')
  expect(await once(child.stdout, 'data')).toEqual(['told to end\n'])
})
