import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { loadConfig } from '@holdfast/server'
import { parseDuration } from 'holdfast'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exitCodes } from '../../packages/cli/src/exit-codes.ts'
import { root } from '../../tools/workspace.mjs'
import { neighbour } from '../support/neighbours.ts'
import { commandIn } from './command-line.ts'

const run = promisify(execFile)
const text = readFileSync(join(root, 'packaging/systemd/holdfast.service'), 'utf8')

let folder: string
let unit: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-systemd-'))
  unit = join(folder, 'holdfast.service')
  writeFileSync(unit, text.replaceAll(/^(Exec\w+)=holdfast /gm, '$1=/bin/sh -c "exec holdfast" '))
  writeFileSync(join(folder, 'reliability.yml'), 'upstreams: {}\n')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the systemd unit', () => {
  it('is understood by systemd, without a warning', async () => {
    const { stdout, stderr } = await run(neighbour('systemd-analyze', { apt: 'systemd' }), ['verify', '--man=no', unit])
    expect(stdout + stderr).toBe('')
  })

  it('leaves the service little to do harm with: an exposure below 2 of 10', async () => {
    await run(neighbour('systemd-analyze', { apt: 'systemd' }), ['security', '--offline=true', '--threshold=20', unit])
    await expect(
      run(neighbour('systemd-analyze', { apt: 'systemd' }), ['security', '--offline=true', '--threshold=1', unit]),
    ).rejects.toThrow()
  })

  it('runs commands that exist', async () => {
    expect(await commandIn(commandOf('ExecStart'))).toBe('serve')
    expect(await commandIn(commandOf('ExecStartPost'))).toBe('probe')
  })

  it('waits for requests under way longer than the server does, and for the start longer than the probe', () => {
    const loaded = loadConfig(join(folder, 'reliability.yml'), { env: {} })
    const graceMs = loaded.ok ? loaded.config.server.gateway.shutdownGrace : Infinity
    expect(parseDuration(valueOf('TimeoutStopSec'))).toBeGreaterThan(graceMs)
    expect(parseDuration(valueOf('TimeoutStartSec'))).toBeGreaterThan(parseDuration(commandOf('ExecStartPost').at(-1)!)!)
  })

  it('starts again after a crash, but not into the same wrong configuration', () => {
    expect(valueOf('Restart')).toBe('on-failure')
    expect(Number(valueOf('RestartPreventExitStatus'))).toBe(exitCodes.usage)
  })

  it('writes nowhere but into its state folder, as nobody in particular', () => {
    expect([valueOf('DynamicUser'), valueOf('ProtectSystem'), valueOf('NoNewPrivileges')]).toEqual(['yes', 'strict', 'yes'])
    expect(valueOf('WorkingDirectory')).toBe(`%S/${valueOf('StateDirectory')}`)
    expect(text).not.toMatch(/^(ReadWritePaths|User)=/m)
  })
})

function valueOf(setting: string): string {
  const values = [...text.matchAll(new RegExp(`^${setting}=(.*)$`, 'gm'))].map(([, value]) => value ?? '')
  expect(values.length, setting).toBe(1)
  return values[0]!
}

function commandOf(setting: string): readonly string[] {
  const [command, ...args] = valueOf(setting).split(' ')
  expect(command).toBe('holdfast')
  return args
}
