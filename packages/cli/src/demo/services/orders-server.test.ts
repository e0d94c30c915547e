import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { startServiceChild, type ServiceChild } from '../service-child.ts'
import type { Service } from './http-service.ts'
import { startOrdersServer } from './orders-server.ts'

const order = { task: 'task-1', sku: '103-2', quantity: 4 }

let folder: string
let file: string
let service: Service | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-orders-'))
  file = join(folder, 'orders.db')
})
afterEach(async () => {
  await service?.close()
  service = undefined
  rmSync(folder, { recursive: true, force: true })
})

async function start(): Promise<Service> {
  service = await startOrdersServer({ seed: 1, timeScale: 0, file })
  return service
}

function place(url: string, key?: string, body: object = order): Promise<Response> {
  const headers = { 'content-type': 'application/json', 'x-task-id': 'task-1', ...(key === undefined ? {} : { 'idempotency-key': key }) }
  return fetch(`${url}/orders`, { method: 'POST', headers, body: JSON.stringify(body) })
}

function startProcess(): Promise<ServiceChild> {
  return startServiceChild({
    lane: 'bare',
    config: { service: 'orders', seed: 1, timeScale: 0, file },
    execArgv: ['--conditions=@holdfast/source', '--import', 'tsx'],
    onCrash: () => {},
  })
}

it('an order is written and can be read', async () => {
  const { url } = await start()
  const placed = await place(url)
  expect(placed.status).toBe(201)
  const { id } = (await placed.json()) as { id: number }
  expect(await (await fetch(`${url}/orders/${id}`)).json()).toEqual({ id, ...order })
  expect((await fetch(`${url}/orders/999`)).status).toBe(404)
})

it('the same key twice is one order, and the second answer says so', async () => {
  const { url } = await start()
  const first = await place(url, 'key-1')
  const second = await place(url, 'key-1')
  expect([first.status, second.status]).toEqual([201, 200])
  expect(second.headers.get('idempotency-replayed')).toBe('true')
  expect(await second.json()).toEqual(await first.json())
  expect(service?.stats().extra).toMatchObject({ rows: 1, tasksOrderedTwice: 0 })
})

it('twenty requests with one key at the same time are one order', async () => {
  const { url } = await start()
  const answers = await Promise.all(Array.from({ length: 20 }, () => place(url, 'key-1')))
  expect(answers.filter(({ status }) => status === 201).length).toBe(1)
  expect(service?.stats().extra['rows']).toBe(1)
})

it('a key that belongs to another order is refused', async () => {
  const { url } = await start()
  await place(url, 'key-1')
  expect((await place(url, 'key-1', { ...order, quantity: 5 })).status).toBe(422)
  expect(service?.stats().extra['rows']).toBe(1)
})

it('without a key every request is an order', async () => {
  const { url } = await start()
  await place(url)
  await place(url)
  expect(service?.stats().extra).toMatchObject({ rows: 2, tasksOrderedTwice: 1 })
})

it.each([{}, { ...order, quantity: 0 }, { ...order, quantity: 1.5 }, { ...order, sku: 7 }])('%j is no order', async (body) => {
  const { url } = await start()
  expect((await place(url, undefined, body)).status).toBe(400)
})

it('an order whose answer was lost is written all the same, and its repetition finds it', async () => {
  const { url } = await start()
  await service?.setFault({ kind: 'outage', mode: 'reset', share: 1 })
  await expect(place(url, 'key-1')).rejects.toThrow('fetch failed')
  await service?.setFault(undefined)
  expect((await place(url, 'key-1')).status).toBe(200)
  expect(service?.stats().extra['rows']).toBe(1)
})

it('an order survives kill -9, and so does its key', async () => {
  const first = await startProcess()
  const placed = (await (await place(first.url, 'key-1')).json()) as { id: number }
  process.kill(first.pid, 'SIGKILL')
  await first.stop()
  const second = await startProcess()
  try {
    const again = await place(second.url, 'key-1')
    expect(again.status).toBe(200)
    expect(await again.json()).toEqual(placed)
    expect((await second.stats()).extra['rows']).toBe(1)
  } finally {
    await second.stop()
  }
})
