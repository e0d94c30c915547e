import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { accessLine } from './access-line.ts'
import { accessLog } from './access-log.ts'
import type { RequestRecord } from './request-record.ts'

const record: RequestRecord = {
  upstream: 'up',
  method: 'GET',
  path: '/up/x',
  status: 200,
  cause: undefined,
  attempts: 1,
  durationMs: 12.345678,
  headMs: 1.5,
  bytes: 42,
  receivedBytes: 0,
  clientAddress: '127.0.0.1',
  requestId: 'r1',
  traceId: undefined,
}
const wallNow = (): number => Date.UTC(2030, 0, 31, 12, 0, 1)

describe('a line about a request', () => {
  it('as JSON holds what is known of it', () => {
    const line = accessLine({ ...record, cause: 'fallback', traceId: 'ab' }, 'json', wallNow())
    expect(line.endsWith('}\n')).toBe(true)
    expect(JSON.parse(line)).toEqual({
      time: '2030-01-31T12:00:01.000Z',
      requestId: 'r1',
      client: '127.0.0.1',
      method: 'GET',
      path: '/up/x',
      upstream: 'up',
      status: 200,
      cause: 'fallback',
      attempts: 1,
      durationMs: 12.346,
      headMs: 1.5,
      bytes: 42,
      receivedBytes: 0,
      traceId: 'ab',
    })
  })

  it('in the Common Log Format is one line, whatever the client wrote', () => {
    expect(accessLine(record, 'common', wallNow())).toBe('127.0.0.1 - - [31/Jan/2030:12:00:01 +0000] "GET /up/x HTTP/1.1" 200 42\n')
    const odd = accessLine({ ...record, path: '/a"\\\n\u001b[31m\u009b' }, 'common', wallNow())
    expect(odd).toBe('127.0.0.1 - - [31/Jan/2030:12:00:01 +0000] "GET /a\\x22\\x5c\\x0a\\x1b[31m\\x9b HTTP/1.1" 200 42\n')
    for (const format of ['json', 'common'] as const)
      expect(accessLine({ ...record, path: `/${'x'.repeat(100_000)}` }, format, wallNow()).length).toBeLessThan(2_500)
  })
})

describe('the access log', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-access-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))
  const lines = async (path: string): Promise<number> => (await readFile(path, 'utf8')).split('\n').length - 1

  it('writes every line, in order, and appends to what is there', async () => {
    const path = join(folder, 'access.log')
    await writeFile(path, 'old\n')
    const log = accessLog({ path, format: 'json', wallNow })
    for (let index = 0; index < 2_000; index++) log.add({ ...record, requestId: String(index) })
    await log.close()
    const written = (await readFile(path, 'utf8')).trim().split('\n').slice(1)
    expect(written.map((line) => (JSON.parse(line) as { requestId: string }).requestId)).toEqual(
      Array.from({ length: 2_000 }, (_, index) => String(index)),
    )
    expect(log.dropped).toBe(0)
  })

  it('closing waits for every line, also for those that came while others were written', async () => {
    for (let round = 0; round < 10; round++) {
      const path = join(folder, `${round}.log`)
      const log = accessLog({ path, format: 'common', wallNow })
      for (let index = 0; index < 15_000; index++) log.add(record)
      await new Promise(setImmediate) // the first write is under way
      for (let index = 0; index < 15_000; index++) log.add(record)
      await log.close()
      expect(await lines(path)).toBe(30_000)
    }
  })

  it('goes on in a new file when the old one was renamed, told or not', async () => {
    const path = join(folder, 'access.log')
    const log = accessLog({ path, format: 'common', wallNow })
    const fill = (): void => {
      for (let index = 0; index < 2_000; index++) log.add(record) // more than one flush
    }
    fill()
    await waitFor(async () => (await lines(path).catch(() => 0)) > 0)
    await rename(path, `${path}.1`)
    fill()
    await waitFor(async () => (await lines(path).catch(() => 0)) > 0)
    await rename(path, `${path}.2`)
    log.reopen()
    fill()
    await log.close()
    expect((await lines(path)) + (await lines(`${path}.1`)) + (await lines(`${path}.2`))).toBe(6_000)
    expect(await lines(path)).toBeGreaterThan(0)
  })

  it('a full disk costs lines, which are counted, and nothing else; it says so once, and when it is over', async () => {
    const path = join(folder, 'access.log')
    await symlink('/dev/full', path)
    const troubles: (string | undefined)[] = []
    const log = accessLog({
      path,
      format: 'json',
      wallNow,
      onTrouble: (error) => troubles.push((error as { code?: string } | undefined)?.code),
    })
    const before = process.memoryUsage.rss()
    for (let index = 0; index < 100_000; index++) {
      log.add(record)
      if (index % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await waitFor(() => troubles.length > 0)
    expect(troubles).toEqual(['ENOSPC'])
    expect(log.dropped).toBeGreaterThan(50_000)
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 1024 * 1024)
    await rm(path)
    log.reopen()
    await waitFor(() => troubles.length > 1)
    await log.close()
    expect(troubles).toEqual(['ENOSPC', undefined])
    expect((await lines(path)) + log.dropped).toBe(100_000)
  })

  it('a folder that is not there is the same', async () => {
    const path = join(folder, 'later', 'access.log')
    const troubles: unknown[] = []
    const log = accessLog({ path, format: 'json', wallNow, onTrouble: (error) => troubles.push(error) })
    log.add(record)
    log.reopen()
    await waitFor(() => troubles.length === 1)
    await mkdir(join(folder, 'later'))
    await log.close()
    expect([await lines(path), log.dropped]).toEqual([1, 0])
  })
})

async function waitFor(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5))
}
