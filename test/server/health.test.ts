import { afterEach, expect, it } from 'vitest'
import { Cleanup, reader, startHoldfast, startHttp } from '../support/server.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

interface Health {
  readonly status: string
  readonly reasons: readonly string[]
  readonly checks?: Readonly<
    Record<
      string,
      { readonly status: string; readonly ageMs: number | null; readonly tookMs: number | null; readonly lastFailure: unknown }
    >
  >
}

it('S35: a check that hangs ends at its timeout and is reported; others are not held up, and parallel requests ask once', async () => {
  let asked = 0
  const hung = await startHttp(() => void asked++, cleanup)
  const well = await startHttp((_request, response) => void response.end(), cleanup)
  const server = await startHoldfast(
    `upstreams:
  hung: { url: '${hung}', health: { path: /, timeout: 300ms, interval: 1h } }
  well: { url: '${well}', health: { path: /, timeout: 10s, interval: 1h } }
`,
    cleanup,
  )
  const answers = await Promise.all(
    Array.from({ length: 20 }, async () => (await (await fetch(`${server.controlUrl}/health`, { headers: reader })).json()) as Health),
  )
  for (const { status, reasons, checks } of answers) {
    expect([status, reasons]).toEqual(['warn', ['upstream/hung: no answer within 300 ms']])
    expect(checks?.['upstream/hung']).toMatchObject({ status: 'fail', lastFailure: { reason: 'no answer within 300 ms' } })
    expect(checks?.['upstream/well']?.status).toBe('pass')
  }
  expect(asked).toBe(1)
})

it('S34: liveness asks no dependency, readiness only critical ones, and details are for those with a token', async () => {
  const server = await startHoldfast(
    `upstreams:
  down: { url: 'http://127.0.0.1:9', health: { deep: false } }
  vital: { url: 'http://127.0.0.1:9', health: { deep: false, critical: true } }
`,
    cleanup,
  )
  const status = async (path: string): Promise<number> => (await fetch(`${server.controlUrl}${path}`)).status
  expect([await status('/health/alive'), await status('/health/ready')]).toEqual([200, 503])
  const detailed = (await (await fetch(`${server.controlUrl}/health`, { headers: reader })).json()) as Health
  expect(detailed.checks?.['upstream/down']).toMatchObject({
    status: 'fail',
    critical: false,
    ageMs: expect.any(Number),
    tookMs: expect.any(Number),
    lastFailure: { at: expect.any(Number), reason: expect.stringContaining('ECONNREFUSED') },
  })
  expect(await (await fetch(`${server.controlUrl}/health`)).json()).not.toHaveProperty('checks')
})
