import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Libsql from 'libsql'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AuditLog } from './audit-log.ts'
import { canonicalJson } from './canonical-json.ts'

let folder = ''
let path = ''
let now = 1_000
const logs: AuditLog[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-audit-'))
  path = join(folder, 'audit.db')
  now = 1_000
})
afterEach(() => {
  for (const log of logs.splice(0)) log.close()
  rmSync(folder, { recursive: true, force: true })
})

function open(): AuditLog {
  const log = new AuditLog(path, { wallNow: () => now })
  logs.push(log)
  return log
}

function filled(count: number): AuditLog {
  const log = open()
  for (let id = 1; id <= count; id++) {
    now = id * 1_000
    log.append({
      who: 'ops',
      address: '::1',
      action: 'policy.isolate',
      subject: 'circuit-breaker/llm',
      before: null,
      after: { id, b: 1, a: [id] },
      reason: `r${id}`,
    })
  }
  return log
}

/** Writes to the file as somebody who is not the program, triggers taken off. */
function tamper(sql: string): void {
  const other = new Libsql(path)
  for (const name of ['audit_is_not_altered', 'audit_is_not_deleted', 'anchor_is_not_altered']) other.exec(`DROP TRIGGER ${name}`)
  other.exec(sql)
  other.close()
}

it('S13: a record says who did what to what, when, from where, why and for how long', () => {
  const log = open()
  const record = log.append({
    who: 'ops',
    address: '10.0.0.1',
    action: 'policy.isolate',
    subject: 'x',
    before: { a: 1 },
    after: { b: [2] },
    reason: 'why',
    expiresAt: 9,
  })
  expect(record).toEqual({
    id: 1,
    at: 1e3,
    who: 'ops',
    address: '10.0.0.1',
    action: 'policy.isolate',
    subject: 'x',
    before: { a: 1 },
    after: { b: [2] },
    reason: 'why',
    expiresAt: 9,
    hash: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
  })
  expect(log.list(10)).toEqual([record])
})

it('lists the newest first, a page at a time', () => {
  const log = filled(5)
  expect(log.list(2).map(({ id }) => id)).toEqual([5, 4])
  expect(log.list(9, 3).map(({ id }) => id)).toEqual([2, 1])
})

it('goes on with the same chain after it was closed', async () => {
  const first = filled(3)
  first.close()
  const second = open()
  expect(second.append({ who: 'ops', address: '', action: 'a', subject: 's' }).id).toBe(4)
  expect(await second.verify()).toMatchObject({ ok: true, count: 4, lastId: 4 })
})

it('S13: nothing in it can be altered or deleted', () => {
  const log = filled(2)
  expect(() => log.database.exec("UPDATE audit SET who = 'nobody' WHERE id = 1")).toThrow('audit records are not altered')
  expect(() => log.database.exec('DELETE FROM audit WHERE id = 2')).toThrow('audit records are not deleted')
})

describe('S13: tampering is found, with its place', () => {
  it.each([
    ["UPDATE audit SET who = 'nobody' WHERE id = 700", 700, 'record 700 does not fit its hash'],
    ["UPDATE audit SET after = '{}' WHERE id = 2", 2, 'record 2 does not fit its hash'],
    ["UPDATE audit SET after = 'no json' WHERE id = 2", 2, 'record 2 does not fit its hash'],
    ['DELETE FROM audit WHERE id = 3', 3, 'record 3 is missing'],
    ['DELETE FROM audit WHERE id < 3', 1, 'record 1 is missing'],
    ['INSERT INTO audit_anchor SELECT 2, hash FROM audit WHERE id = 2; DELETE FROM audit WHERE id < 3', 2, 'no record says so'],
  ])('%s', async (sql, brokenAt, message) => {
    filled(701).close()
    expect(await open().verify()).toMatchObject({ ok: true, count: 701 })
    tamper(sql)
    expect(await open().verify()).toEqual({ ok: false, brokenAt, message: expect.stringContaining(message) as string })
  })

  it('the newest records taken away from under a running server', async () => {
    const log = filled(4)
    tamper('DELETE FROM audit WHERE id = 4')
    expect(await log.verify()).toMatchObject({ ok: false, brokenAt: 4 })
  })
})

describe('what belongs to a record', () => {
  it('is written with it', () => {
    const log = open()
    log.append({ who: 'a', address: '', action: 'a', subject: 's' }, (database) =>
      database.run("INSERT INTO silence VALUES ('d', 'r', 'w', 1, 2)"),
    )
    expect(log.database.all('SELECT dependency FROM silence')).toEqual([{ dependency: 'd' }])
  })

  it('if it cannot be written, the record is not there either', async () => {
    const log = filled(1)
    const change = (): void => {
      throw new Error('the disk is full')
    }
    expect(() => log.append({ who: 'a', address: '', action: 'a', subject: 's' }, change)).toThrow('the disk is full')
    expect(log.list(10).map(({ id }) => id)).toEqual([1])
    expect(log.append({ who: 'a', address: '', action: 'a', subject: 's' }).id).toBe(2)
    expect(await log.verify()).toMatchObject({ ok: true, count: 2 })
  })
})

describe('pruning', () => {
  it('takes out what is too old; a record vouches for where the chain begins', async () => {
    const log = filled(5)
    now = 10_000
    expect(log.prune(3_500)).toBe(3)
    expect(log.list(10).map(({ id, action }) => [id, action])).toEqual([
      [6, 'audit.pruned'],
      [5, 'policy.isolate'],
      [4, 'policy.isolate'],
    ])
    expect(await log.verify()).toMatchObject({ ok: true, count: 3, lastId: 6 })
    expect(log.prune(3_500)).toBe(0)
    now = 20_000
    expect(log.prune(15_000)).toBe(2) // the newest stays, so that a chain never ends in nothing
    expect(await log.verify()).toMatchObject({ ok: true, count: 2 })
    log.close()
    expect(await open().verify()).toMatchObject({ ok: true, count: 2, lastId: 7 })
  })
})

it('a damaged file is set aside, and the new one says so', () => {
  writeFileSync(path, 'not a database at all'.repeat(100))
  const [record] = open().list(1)
  expect(record).toMatchObject({
    id: 1,
    action: 'audit.began-anew',
    after: { movedTo: expect.stringContaining('audit.db.damaged-') as string },
  })
})

it('equal data has one text, whatever the order of its keys', () => {
  expect(canonicalJson({ b: { d: undefined, c: [2, { z: 1, a: null }] }, a: 'ü' })).toBe('{"a":"ü","b":{"c":[2,{"a":null,"z":1}]}}')
  expect(canonicalJson(JSON.parse('{"__proto__":1,"a":2}'))).toBe('{"__proto__":1,"a":2}')
  expect(canonicalJson(undefined)).toBe('null')
})
