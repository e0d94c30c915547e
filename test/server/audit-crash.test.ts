import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AuditLog, type RunFile } from '@holdfast/server'
import { seededRandom } from 'holdfast'
import { expect, it } from 'vitest'
import { runCommand, startCommand } from '../support/cli.ts'
import { ask } from '../support/control-client.ts'

const token = 'operator-token-0123456789'
const headers = { authorization: `Bearer ${token}` }
const rounds = 4

it('S13: kill -9 at any moment loses no change that was acknowledged, neither its record nor the state', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-crash-'))
  const config = join(folder, 'reliability.yml')
  const dataDir = join(folder, 'data')
  const breakers = Array.from({ length: 8 }, (_, index) => `b${index}`)
  await writeFile(
    config,
    [
      `server: { dataDir: '${dataDir}', gateway: { port: 0 }, control: { port: 0 }, log: { level: silent }, tokens: [{ name: op, role: operate, value: ${token} }] }`,
      'upstreams:',
      ...breakers.map((name) => `  ${name}: { url: 'http://127.0.0.1:9', pipeline: { circuitBreaker: {}, attemptTimeout: 1s } }`),
    ].join('\n'),
  )
  const random = seededRandom(20_261_123)
  /** Reasons of acknowledged changes. */
  const acknowledged = new Set<string>()
  /** The last acknowledged action, and one that may have been carried out when the process died. */
  const last = new Map<string, { action: string; inDoubt: string | undefined }>()

  const oneLife = async (round: number): Promise<void> => {
    const server = startCommand(['serve', config])
    try {
      await server.says('holdfast is serving')
      const { controlUrl } = JSON.parse(await readFile(join(dataDir, 'server.json'), 'utf8')) as RunFile
      const { body } = await ask(`${controlUrl}/api/v1/policies`)
      for (const { id, forced } of body['policies'] as { id: string; forced: { action: string } | null }[]) {
        const known = last.get(id)
        if (known !== undefined) expect([known.action, known.inDoubt], `${id} after life ${round - 1}`).toContain(forced?.action ?? 'close')
      }
      const killAfter = 5 + Math.floor(random() * 40)
      let done = 0
      const work = async (name: string): Promise<void> => {
        const id = `circuit-breaker/${name}`
        for (let count = 0; ; count++) {
          const action = ['isolate', 'disable', 'force-open', 'close'][Math.floor(random() * 4)] as string
          const reason = `${round}-${name}-${count}`
          last.set(id, { action: last.get(id)?.action ?? 'close', inDoubt: action })
          const answer = await ask(`${controlUrl}/api/v1/policies/${encodeURIComponent(id)}`, { headers, body: { action, reason } }).catch(
            () => undefined,
          )
          if (answer?.status !== 200) return
          acknowledged.add(reason)
          last.set(id, { action, inDoubt: undefined })
          if (++done === killAfter) server.child.kill('SIGKILL')
        }
      }
      await Promise.all(breakers.map(work))
      expect(done).toBeGreaterThanOrEqual(killAfter)
    } finally {
      server.child.kill('SIGKILL')
      await server.ended
    }
  }

  try {
    for (let round = 1; round <= rounds; round++) await oneLife(round)
    const log = new AuditLog(join(dataDir, 'audit.db'), { wallNow: () => Date.now(), onlyReads: true })
    const verification = await log.verify()
    const recorded = new Set(log.list(100_000).map(({ reason }) => reason))
    log.close()
    expect(verification.ok).toBe(true)
    expect([...acknowledged].filter((reason) => !recorded.has(reason))).toEqual([])
    expect(acknowledged.size).toBeGreaterThan(rounds * 5 - 1)
    const told = await runCommand(['audit', '--verify', '--data-dir', dataDir])
    expect([told.code, told.stdout]).toEqual([0, expect.stringContaining('none altered, none missing')])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}, 120_000)
