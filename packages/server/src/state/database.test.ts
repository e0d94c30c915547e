import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DatabaseError } from './database-error.ts'
import { openDatabase, type Database } from './database.ts'
import type { SetAside } from './set-aside.ts'

let folder = ''
let path = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-database-'))
  path = join(folder, 'test.db')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const migrations = ['CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT, bytes BLOB)']

function open(more: readonly string[] = [], onSetAside?: (file: SetAside) => void): Database {
  return openDatabase(path, {
    durability: 'full',
    migrations: [...migrations, ...more],
    ...(onSetAside === undefined ? {} : { onSetAside }),
  })
}

function failure(work: () => unknown): DatabaseError {
  try {
    work()
  } catch (error) {
    expect(error).toBeInstanceOf(DatabaseError)
    return error as DatabaseError
  }
  throw new Error('nothing was thrown')
}

const notes = (database: Database): unknown[] => database.all('SELECT text FROM note ORDER BY id').map((row) => row['text'])

describe('a database', () => {
  it('gives back what was put in, as plain columns', () => {
    const database = open()
    expect(database.run('INSERT INTO note (text, bytes) VALUES (?, ?)', 'a', new Uint8Array([1, 2]))).toEqual({ changes: 1, lastId: 1 })
    database.run('INSERT INTO note (text) VALUES (?)', null)
    expect(database.get('SELECT * FROM note WHERE id = ?', 1)).toEqual({ id: 1, text: 'a', bytes: new Uint8Array([1, 2]) })
    expect(database.all('SELECT bytes FROM note WHERE id = 1')).toEqual([{ bytes: new Uint8Array([1, 2]) }])
    expect(database.all('SELECT id, text FROM note')).toEqual([
      { id: 1, text: 'a' },
      { id: 2, text: null },
    ])
    expect(database.get('SELECT * FROM note WHERE id = ?', 9)).toBeUndefined()
    database.close()
    database.close()
    expect(failure(() => database.all('SELECT 1')).code).toBe('ERR_DATABASE_CLOSED')
  })

  it('is only for its user to read', () => {
    const database = open()
    database.run('INSERT INTO note (text) VALUES (?)', 'a')
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o077).toBe(0)
    database.close()
  })

  it('takes a failed transaction back whole', () => {
    const database = open()
    const work = (): void =>
      database.transaction(() => {
        database.run('INSERT INTO note (text) VALUES (?)', 'a')
        throw new Error('changed my mind')
      })
    expect(work).toThrow('changed my mind')
    expect(notes(database)).toEqual([])
    database.transaction(() => database.run('INSERT INTO note (text) VALUES (?)', 'b'))
    expect(notes(database)).toEqual(['b'])
    database.close()
  })
})

describe('migrations', () => {
  it('are carried out once each, also on a file that was written before there were more of them', () => {
    const first = open()
    first.run('INSERT INTO note (text) VALUES (?)', 'kept')
    first.close()
    const more = ["INSERT INTO note (text) VALUES ('migrated')", 'ALTER TABLE note ADD COLUMN colour TEXT']
    open(more).close()
    const last = open(more)
    expect(last.all('SELECT text, colour FROM note')).toEqual([
      { text: 'kept', colour: null },
      { text: 'migrated', colour: null },
    ])
    last.close()
  })

  it('one that fails changes nothing', () => {
    open().close()
    expect(failure(() => open(["INSERT INTO note (text) VALUES ('half'); INSERT INTO nowhere VALUES (1)"])).code).toBe('ERR_DATABASE')
    const database = open()
    expect(notes(database)).toEqual([])
    database.close()
  })

  it('a file of a newer version is refused and left alone', () => {
    open(['CREATE TABLE later (id INTEGER)']).close()
    const error = failure(() => open())
    expect([error.code, error.message]).toEqual(['ERR_DATABASE_NEWER', expect.stringContaining(`${path} was written by a newer version`)])
    expect(readdirSync(folder).filter((name) => name.includes('damaged'))).toEqual([])
  })
})

describe('a file that cannot be used', () => {
  it.each([
    ['no database', (): void => writeFileSync(path, 'this is a letter, not a database'.repeat(50))],
    [
      'a folder',
      (): void => {
        mkdirSync(path)
      },
    ],
    [
      'damaged inside',
      (): void => {
        const database = open()
        database.transaction(() => {
          for (let count = 0; count < 500; count++) database.run('INSERT INTO note (text) VALUES (?)', 'x'.repeat(200))
        })
        database.close()
        const bytes = readFileSync(path)
        writeFileSync(path, bytes.fill(0xff, 4_096 * 3, 4_096 * 6))
      },
    ],
  ])('%s: is set aside, never deleted, and reported', (_name, spoil) => {
    spoil()
    const reports: SetAside[] = []
    const database = open([], (file) => reports.push(file))
    database.run('INSERT INTO note (text) VALUES (?)', 'new')
    expect(notes(database)).toEqual(['new'])
    expect(reports).toEqual([database.setAside])
    expect(database.setAside).toMatchObject({
      path,
      movedTo: expect.stringMatching(/test\.db\.damaged-\d{8}T\d{6}Z$/),
      reason: expect.any(String),
    })
    expect(statSync(reports[0]?.movedTo ?? '').size).toBeGreaterThan(0)
    database.close()
  })

  it('an empty one is begun anew without a word', () => {
    writeFileSync(path, '')
    const database = open()
    expect(database.setAside).toBeUndefined()
    database.close()
  })

  it('stays where it is for those who only look', () => {
    writeFileSync(path, 'this is a letter, not a database'.repeat(50))
    const look = (): Database => openDatabase(path, { durability: 'normal', migrations, keepsDamaged: true })
    expect(failure(look)).toMatchObject({ code: 'ERR_DATABASE_DAMAGED', message: expect.stringContaining(`${path} is no database`) })
    expect(readdirSync(folder)).toEqual(['test.db'])
  })

  it('a folder that cannot be made is an error that names the setting', () => {
    writeFileSync(path, '')
    const error = failure(() => openDatabase(join(path, 'x', 'y.db'), { durability: 'normal', migrations }))
    expect([error.code, error.message]).toEqual(['ERR_DATABASE_ACCESS', expect.stringContaining('server.dataDir')])
  })
})

it('a full disk is an error of its own, and what was committed before stays', () => {
  const database = open()
  database.run('INSERT INTO note (text) VALUES (?)', 'kept')
  const pages = Number(database.get('PRAGMA page_count')?.['page_count'])
  database.get(`PRAGMA max_page_count = ${pages}`)
  const large = 'x'.repeat(100_000)
  expect(failure(() => database.run('INSERT INTO note (text) VALUES (?)', large)).code).toBe('ERR_DATABASE_FULL')
  expect(failure(() => database.transaction(() => database.run('INSERT INTO note (text) VALUES (?)', large))).code).toBe(
    'ERR_DATABASE_FULL',
  )
  expect(notes(database)).toEqual(['kept'])
  database.get('PRAGMA max_page_count = 1000000')
  database.run('INSERT INTO note (text) VALUES (?)', large)
  expect(notes(database)).toEqual(['kept', large])
  database.close()
})

it('what was committed is there after kill -9', async () => {
  const source = new URL('database.ts', import.meta.url)
  const script = `
    import { openDatabase } from ${JSON.stringify(source.href)}
    const database = openDatabase(process.argv[1], { durability: 'full', migrations: ${JSON.stringify(migrations)} })
    for (let count = 1; ; count++) {
      database.run('INSERT INTO note (text) VALUES (?)', String(count))
      process.stdout.write(count + '\\n')
      await new Promise((resolve) => setImmediate(resolve))
    }`
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString()
    if (text.length > 200) child.kill('SIGKILL')
  })
  await once(child, 'close')
  const acknowledged = Number(text.slice(0, text.lastIndexOf('\n')).split('\n').at(-1))
  expect(acknowledged).toBeGreaterThan(10)
  const database = open()
  expect(notes(database).slice(0, acknowledged)).toEqual(Array.from({ length: acknowledged }, (_, index) => String(index + 1)))
  database.close()
}, 30_000)
