import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { Failure } from '../../tools/failure.mjs'
import { runCommand } from '../../tools/run-command.mjs'
import { root } from '../../tools/workspace.mjs'

describe('runCommand', () => {
  it('collects whole lines of both streams, and the exit code', async () => {
    const lines: string[] = []
    const script = `process.stdout.write('one\\ntw'); process.stdout.write('o\\n'); console.error('three'); process.exitCode = 3`
    const result = await runCommand(process.execPath, ['-e', script], { output: 'collect', onLine: (line) => lines.push(line) })
    expect(result.code).toBe(3)
    expect(lines.toSorted()).toEqual(['one', 'three', 'two'])
    expect(result.output.split('\n')).toEqual(lines)
  })

  it('lets the listener end the program', async () => {
    const script = `console.log('ready'); setInterval(() => {}, 1000)`
    const { code } = await runCommand(process.execPath, ['-e', script], { output: 'collect', onLine: (_line, stop) => stop() })
    expect(code).toBe(1)
  })

  it('says which program cannot be started', async () => {
    await expect(runCommand('no-such-program', [], { output: 'collect' })).rejects.toThrow(Failure)
    await expect(runCommand('no-such-program', [], { output: 'collect' })).rejects.toThrow('Could not start no-such-program')
  })

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
    ['SIGHUP', 129],
  ] as const)('hands %s on, waits for the program to end, and ends with %i itself', async (signal, code) => {
    const program = `process.on('${signal}', () => process.exit(0)); console.log(process.pid); setInterval(() => {}, 1000)`
    const tool = `
      import { runTool } from '${root}/tools/failure.mjs'
      import { runCommand } from '${root}/tools/run-command.mjs'
      await runTool(() => runCommand(process.execPath, ['-e', ${JSON.stringify(program)}]).then(({ code }) => code))`
    const child = spawn(process.execPath, ['--input-type=module', '-e', tool], { stdio: ['ignore', 'pipe', 'ignore'] })
    const [pid] = await once(child.stdout, 'data')
    child.kill(signal)
    expect(await once(child, 'exit')).toEqual([code, null])
    expect(() => process.kill(Number(String(pid)), 0)).toThrow('ESRCH')
  })
})
