import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Service } from './http-service.ts'
import { startSearchServer } from './search-server.ts'

let service: Service

beforeEach(async () => {
  service = await startSearchServer({ seed: 1, timeScale: 0.05 })
})
afterEach(() => service.close())

const search = (query: string): Promise<Response> => fetch(`${service.url}/search?q=${encodeURIComponent(query)}`)

it('finds offers, cheapest first, the same every time', async () => {
  const first = (await (await search('Saline bags')).json()) as { items: { price: number; name: string }[] }
  expect(first.items.length).toBe(3)
  expect(first.items.map(({ price }) => price)).toEqual(first.items.map(({ price }) => price).toSorted((a, b) => a - b))
  expect(first.items.every(({ name }) => name === 'saline bags')).toBe(true)
  expect(await (await search('saline bags')).json()).toEqual(first)
})

it('an unknown product is no error; a missing query is', async () => {
  expect(await (await search('unicorns')).json()).toEqual({ items: [] })
  expect((await search(' ')).status).toBe(400)
  expect((await fetch(`${service.url}/other`)).status).toBe(404)
})

it('a cut leaves the client with half an answer, which is an error and not a short answer', async () => {
  await service.setFault({ kind: 'cut', share: 1 })
  const response = await search('saline bags')
  expect(response.ok).toBe(true)
  await expect(response.json()).rejects.toThrow('terminated')
  await vi.waitFor(() => expect(service.stats().outcomes.broken).toBe(1))
})

it('every request is in flight or has one outcome', async () => {
  await search('saline bags')
  await search(' ')
  await service.setFault({ kind: 'stall', share: 1 })
  const caller = new AbortController()
  const hanging = fetch(`${service.url}/search?q=x`, { signal: caller.signal })
  await vi.waitFor(() => expect(service.stats()).toMatchObject({ received: 3, inFlight: 1, outcomes: { ok: 1, invalid: 1 } }))
  caller.abort()
  await expect(hanging).rejects.toMatchObject({ name: 'AbortError' })
  await vi.waitFor(() => expect(service.stats()).toMatchObject({ received: 3, inFlight: 0, outcomes: { ok: 1, invalid: 1, stalled: 1 } }))
})

it('health checks are answered as the service is, and are no requests', async () => {
  const health = (): Promise<number> => fetch(`${service.url}/health`).then(({ status }) => status)
  expect(await health()).toBe(200)
  await service.setFault({ kind: 'outage', mode: 'error', share: 1 })
  expect(await health()).toBe(503)
  expect(service.stats()).toMatchObject({ received: 0, inFlight: 0, extra: { healthChecks: 2 } })
})
