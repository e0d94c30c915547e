import { afterEach, expect, it } from 'vitest'
import { ask, cookieOf, type Answer } from '../support/control-client.ts'
import { startReloadable } from '../support/reloadable-server.ts'
import { Cleanup, operator } from '../support/server.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

type Reloadable = Awaited<ReturnType<typeof startReloadable>>

const upstream = (name: string, threshold: number): string =>
  `  ${name}: { url: 'http://127.0.0.1:9', pipeline: { circuitBreaker: { failureThreshold: ${threshold} }, attemptTimeout: 1s } }\n`
const post = (server: Reloadable, path: string, body: unknown): Promise<Answer> =>
  ask(server.controlUrl + path, { headers: operator, body })
const stateOf = (server: Reloadable, name: string): unknown => server.system.get(`circuit-breaker/${name}`).status()['state']

it('S50, S52: what a hand has set stays with what stays, and is dropped, on record, with what goes', async () => {
  const server = await startReloadable(`upstreams:\n${upstream('kept', 5)}${upstream('gone', 5)}`, cleanup)
  const ids = ['circuit-breaker/kept', 'circuit-breaker/gone']
  expect((await post(server, '/api/v1/policies', { ids, action: 'isolate', reason: 'a drill', expiresIn: '1h' })).body['failed']).toEqual(
    [],
  )
  for (const name of ['kept', 'gone']) await post(server, `/api/v1/dependencies/${name}/silence`, { reason: 'a drill', expiresIn: '1h' })
  await server.write(`upstreams:\n${upstream('kept', 9)}`)
  expect((await post(server, '/api/v1/config/reload', { reason: 'one less' })).body).toMatchObject({
    generation: 2,
    lastReload: { ok: true },
  })
  expect(stateOf(server, 'kept')).toBe('isolated')
  const { body } = await ask(`${server.controlUrl}/api/v1/dependencies`)
  expect(body).toMatchObject({
    dependencies: [{ name: 'kept', forced: { action: 'isolate', by: 'operator' }, silence: { by: 'operator' } }],
  })
  const { records } = (await ask(`${server.controlUrl}/api/v1/audit`)).body as {
    records: { action: string; subject: string; who: string }[]
  }
  expect(records.map(({ who, action, subject }) => [who, action, subject]).slice(0, 3)).toEqual([
    ['holdfast', 'dependency.silence-dropped', 'gone'],
    ['holdfast', 'policy.forced-dropped', 'circuit-breaker/gone'],
    ['operator', 'config.reload', 'configuration'],
  ])
})

it('S4: a token that a reload takes away ends its sessions and live feeds at once', async () => {
  const yaml = (token: string): string =>
    `server: { dataDir: '{{data}}', gateway: { port: 0 }, control: { port: 0, loginRequired: true }, tokens: [{ name: op, role: operate, value: operator-token-0123456789 }${token}] }\nupstreams:\n${upstream('a', 5)}`
  const server = await startReloadable(yaml(', { name: guest, role: read, value: guest-token-0123456789 }'), cleanup)
  const cookie = cookieOf(await ask(`${server.controlUrl}/api/v1/session`, { body: { token: 'guest-token-0123456789' } }))
  const feed = (await fetch(`${server.controlUrl}/events`, { headers: { cookie } })).text()
  expect((await ask(`${server.controlUrl}/api/v1/policies`, { headers: { cookie } })).status).toBe(200)
  await server.write(yaml(''))
  expect((await post(server, '/api/v1/config/reload', { reason: 'the guest has left' })).body).toMatchObject({ lastReload: { ok: true } })
  expect(await feed).toContain('event: snapshot')
  expect((await ask(`${server.controlUrl}/api/v1/policies`, { headers: { cookie } })).status).toBe(401)
})
