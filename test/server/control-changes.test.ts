import { afterEach, describe, expect, it } from 'vitest'
import { writeFile } from 'node:fs/promises'
import Libsql from 'libsql'
import { ask, cookieOf, type Answer } from '../support/control-client.ts'
import { Cleanup, operator, reader, startHoldfast, type TestServer } from '../support/server.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

const upstreams = `
upstreams:
  llm: { url: 'http://127.0.0.1:9', pipeline: { circuitBreaker: {}, attemptTimeout: 1s } }
  db: { url: 'http://127.0.0.1:9', pipeline: { circuitBreaker: {}, attemptTimeout: 1s }, health: { critical: true, deep: false } }
`
const start = (): Promise<TestServer> => startHoldfast(upstreams, cleanup)
const llm = '/api/v1/policies/circuit-breaker/llm'
const silence = '/api/v1/dependencies/db/silence'
const post = (server: TestServer, path: string, body: unknown): Promise<Answer> =>
  ask(server.controlUrl + path, { headers: operator, body })
const remove = (server: TestServer, path: string): Promise<Answer> => ask(server.controlUrl + path, { method: 'DELETE', headers: operator })
const get = async (server: TestServer, path: string): Promise<Record<string, unknown>> =>
  (await ask(server.controlUrl + path, { headers: reader })).body
const stateOf = (server: TestServer, name: string): unknown => server.system.get(`circuit-breaker/${name}`).status()['state']

interface Shown {
  readonly action: string
  readonly [field: string]: unknown
}
async function records(server: TestServer): Promise<readonly Shown[]> {
  return (await get(server, '/api/v1/audit'))['records'] as readonly Shown[]
}

/** Lets the audit log grow no further, through a connection of the test's own. */
function fillDisk(server: TestServer): () => void {
  const other = new Libsql(`${server.dataDir}/audit.db`)
  other.exec('PRAGMA busy_timeout = 0; BEGIN IMMEDIATE')
  return () => {
    other.exec('ROLLBACK')
    other.close()
  }
}

describe('the audit log', () => {
  it('S13: holds every change with who, what, before, after, why, how long and from where, and is verified', async () => {
    const server = await start()
    await post(server, llm, { action: 'isolate', reason: 'a drill', expiresIn: '1h' })
    await post(server, silence, { reason: 'maintenance', expiresIn: '2h' })
    await remove(server, silence)
    await post(server, '/api/v1/notes', { text: 'deployed 1.2' })
    const { records: found, verified } = await get(server, '/api/v1/audit')
    const who = {
      who: 'operator',
      address: '127.0.0.1',
      hash: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      at: expect.any(Number) as number,
    }
    expect(verified).toBe(true)
    expect(found).toMatchObject([
      { ...who, id: 4, action: 'note.added', after: { text: 'deployed 1.2' } },
      { ...who, id: 3, action: 'dependency.silence-ended', subject: 'db', before: { reason: 'maintenance' } },
      {
        ...who,
        id: 2,
        action: 'dependency.silenced',
        subject: 'db',
        before: null,
        reason: 'maintenance',
        expiresAt: expect.any(Number) as number,
      },
      {
        ...who,
        id: 1,
        action: 'policy.isolate',
        subject: 'circuit-breaker/llm',
        before: { state: 'closed' },
        after: { action: 'isolate' },
        reason: 'a drill',
      },
    ])
    expect(await get(server, '/api/v1/audit?limit=1&before=3')).toMatchObject({ records: [{ id: 2 }] })
    expect((await ask(`${server.controlUrl}/api/v1/audit?limit=0`)).status).toBe(400)
  })

  it('S13: holds log-ins, log-outs and wrong tokens, and never a token', async () => {
    const server = await start()
    const url = `${server.controlUrl}/api/v1/session`
    const token = 'operator-token-0123456789'
    const cookie = cookieOf(await ask(url, { body: { token } }))
    await ask(url, { method: 'DELETE', headers: { cookie, 'sec-fetch-site': 'same-origin' } })
    await ask(url, { body: { token: 'sk-canary-wrong-token' } })
    await ask(`${server.controlUrl}/api/v1/policies`, { headers: { authorization: 'Bearer sk-canary-wrong-token' } })
    expect((await records(server)).map(({ action, who }) => [action, who])).toEqual([
      ['session.refused', 'nobody'],
      ['session.refused', 'nobody'],
      ['session.ended', 'operator'],
      ['session.began', 'operator'],
    ])
    const everything = [JSON.stringify(await records(server)), ...server.lines].join('\n')
    expect(everything).not.toContain('canary')
    expect(everything).not.toContain(token)
  })

  it('S13: says so when somebody has altered it', async () => {
    const server = await start()
    await post(server, '/api/v1/notes', { text: 'one' })
    const other = new Libsql(`${server.dataDir}/audit.db`)
    other.exec("DROP TRIGGER audit_is_not_altered; UPDATE audit SET who = 'nobody'")
    other.close()
    expect(await get(server, '/api/v1/audit')).toMatchObject({ verified: false, records: [{ who: 'nobody' }] })
  })

  it('of a newer version keeps a server from starting, in a line, and nothing is left running', async () => {
    const server = await start()
    await server.close()
    const other = new Libsql(`${server.dataDir}/audit.db`)
    other.exec('PRAGMA user_version = 99')
    const yaml = `server: { dataDir: '${server.dataDir}', gateway: { port: 0 }, control: { port: 0 } }\n${upstreams}`
    await expect(startHoldfast(yaml, cleanup)).rejects.toThrow(/audit\.db was written by a newer version of Holdfast/)
    other.exec('PRAGMA user_version = 1')
    other.close()
    expect((await startHoldfast(yaml, cleanup)).controlUrl).toContain('http://127.0.0.1:')
  })

  it('that is damaged is set aside, which is logged and begins the new one', async () => {
    const server = await start()
    await server.close()
    await writeFile(`${server.dataDir}/audit.db`, 'no database'.repeat(1_000))
    const again = await startHoldfast(
      `server: { dataDir: '${server.dataDir}', gateway: { port: 0 }, control: { port: 0 } }\n${upstreams}`,
      cleanup,
    )
    expect(await records(again)).toMatchObject([{ who: 'holdfast', action: 'audit.began-anew' }])
    expect(again.lines.join()).toContain('audit.db.damaged-')
  })

  it('S53: what cannot be put on record is refused with the reason, and not done', async () => {
    const server = await start()
    const release = fillDisk(server)
    const answers = [
      await post(server, llm, { action: 'isolate', reason: 'x' }),
      await post(server, silence, { reason: 'x', expiresIn: '1h' }),
      await post(server, '/api/v1/notes', { text: 'x' }),
    ]
    for (const { status, body } of answers)
      expect([status, body]).toMatchObject([
        503,
        { error: { code: 'not-recorded', message: expect.stringContaining('nothing was changed') as string } },
      ])
    const bulk = await post(server, '/api/v1/policies', { ids: ['circuit-breaker/llm'], action: 'isolate', reason: 'x' })
    expect(bulk.body).toMatchObject({
      done: [],
      failed: [{ id: 'circuit-breaker/llm', message: expect.stringContaining('put on record') as string }],
    })
    expect((await ask(`${server.controlUrl}/api/v1/session`, { body: { token: 'operator-token-0123456789' } })).status).toBe(200)
    release()
    expect([stateOf(server, 'llm'), await records(server)]).toEqual(['closed', []])
    expect((await get(server, '/health'))['silenced']).toEqual([])
    expect((await post(server, llm, { action: 'isolate', reason: 'x' })).status).toBe(200)
  }, 60_000)
})

describe('forced states', () => {
  it('S50: are shown with who, why and until when; in events, metrics and health, too', async () => {
    const server = await start()
    await post(server, llm, { action: 'isolate', reason: 'a drill', expiresIn: '15m' })
    const forced = {
      action: 'isolate',
      reason: 'a drill',
      by: 'operator',
      at: expect.any(Number) as number,
      expiresAt: expect.any(Number) as number,
    }
    const view = await get(server, llm)
    expect(view).toMatchObject({ state: 'isolated', forced, actions: ['force-open', 'isolate', 'disable', 'close', 'reset'] })
    const { at, expiresAt } = view['forced'] as { at: number; expiresAt: number }
    expect(expiresAt - at).toBe(900_000)
    expect(await get(server, '/api/v1/dependencies')).toMatchObject({
      dependencies: [
        { name: 'llm', forced },
        { name: 'db', forced: null },
      ],
    })
    const { events } = (await get(server, '/api/v1/events')) as { events: { type: string; data: object }[] }
    for (const type of ['control.changed', 'circuit.isolated'])
      expect(events.find((event) => event.type === type)?.data, type).toMatchObject({ forced: true })
    expect((await ask(`${server.controlUrl}/metrics`)).text).toContain(
      'holdfast_forced_state{policy="circuit-breaker/llm",action="isolate"} 1',
    )
    expect((await get(server, '/health'))['reasons']).toEqual(
      expect.arrayContaining([expect.stringMatching(/^circuit breaker 'llm' is isolated \(by hand, until .*Z\)$/)]),
    )
  })

  it('what is wrong with a request is named, and nothing is changed', async () => {
    const server = await start()
    const wrong = [
      [{ action: 'explode', reason: 'x' }, 400, 'must be one of force-open'],
      [{ action: 'isolate', reason: ' ' }, 400, 'must not be empty'],
      [{ action: 'isolate', reason: 'x'.repeat(501) }, 400, '500'],
      [{ action: 'isolate', reason: 'x', expiresIn: '500d' }, 400, "from '1s' to '365d'"],
      [{ action: 'isolate', reason: 'x', expiresIn: 15 }, 400, "such as '15m'"],
      [{ action: 'isolate', reason: 'x', until: 'later' }, 400, 'until'],
      ['{"action":', 400, 'no valid JSON'],
    ] as const
    for (const [body, status, message] of wrong) {
      const answer = await ask(server.controlUrl + llm, { headers: operator, body })
      expect([body, answer.status, answer.text]).toEqual([body, status, expect.stringContaining(message)])
    }
    expect([stateOf(server, 'llm'), await records(server)]).toEqual(['closed', []])
  })

  it('S51: many at once: each is told, each is on record, the number is bounded', async () => {
    const server = await start()
    const ids = ['circuit-breaker/llm', 'circuit-breaker/db', 'circuit-breaker/nobody', 'circuit-breaker/llm']
    const answer = await post(server, '/api/v1/policies', { ids, action: 'isolate', reason: 'all of them', expiresIn: '1h' })
    expect([answer.status, answer.body]).toEqual([
      200,
      {
        done: ['circuit-breaker/llm', 'circuit-breaker/db'],
        failed: [{ id: 'circuit-breaker/nobody', message: 'there is no policy of that id' }],
      },
    ])
    expect((await records(server)).map(({ subject }) => subject)).toEqual(['circuit-breaker/db', 'circuit-breaker/llm'])
    const tooMany = Array.from({ length: 1_001 }, (_, index) => `circuit-breaker/${index}`)
    expect((await post(server, '/api/v1/policies', { ids: tooMany, action: 'isolate', reason: 'x' })).status).toBe(400)
    expect((await post(server, '/api/v1/policies', { ids: [], action: 'isolate', reason: 'x' })).status).toBe(400)
  })
})

describe('silences', () => {
  it('S52: take a dependency out of health and readiness, and are shown', async () => {
    const server = await start()
    expect((await ask(`${server.controlUrl}/health/ready`)).status).toBe(503)
    const begun = await post(server, silence, { reason: 'maintenance', expiresIn: '1h' })
    expect([begun.status, begun.body]).toMatchObject([200, { silence: { reason: 'maintenance', by: 'operator' } }])
    expect((await ask(`${server.controlUrl}/health/ready`)).status).toBe(200)
    expect(await get(server, '/health')).toMatchObject({ silenced: ['db'], checks: { 'upstream/db': { status: 'fail' } } })
    const { dependencies } = (await get(server, '/api/v1/dependencies')) as { dependencies: { name: string; silence: object | null }[] }
    expect(dependencies.find(({ name }) => name === 'db')?.silence).toMatchObject({ reason: 'maintenance', by: 'operator' })
    expect((await ask(`${server.controlUrl}/metrics`)).text).toContain('holdfast_dependency_silenced{dependency="db"} 1')
    expect((await remove(server, silence)).body).toEqual({ silence: null })
    expect((await ask(`${server.controlUrl}/health/ready`)).status).toBe(503)
  })

  it('S52: need a time and a reason, and a dependency', async () => {
    const server = await start()
    expect((await post(server, silence, { reason: 'x' })).status).toBe(400)
    expect((await post(server, silence, { expiresIn: '1h' })).status).toBe(400)
    expect((await post(server, '/api/v1/dependencies/nobody/silence', { reason: 'x', expiresIn: '1h' })).status).toBe(404)
    expect((await remove(server, silence)).status).toBe(409)
  })
})
