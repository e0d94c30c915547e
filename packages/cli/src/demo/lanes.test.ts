import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { runTask, type TaskResult } from './agent.ts'
import { bareConnections } from './bare-connections.ts'
import { failureReason } from './failure-reason.ts'
import { protectedAgent, type ProtectedAgent } from './protected-connections.ts'
import type { Service } from './services/http-service.ts'
import { startLlmServer } from './services/llm-server.ts'
import { startOrdersServer } from './services/orders-server.ts'
import { startSearchServer } from './services/search-server.ts'
import type { Task } from './task.ts'

let folder: string
let llm: Service
let search: Service
let orders: Service

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-lanes-'))
  const common = { seed: 1, timeScale: 0.02 }
  ;[llm, search, orders] = await Promise.all([
    startLlmServer(common),
    startSearchServer(common),
    startOrdersServer({ ...common, file: join(folder, 'orders.db') }),
  ])
})
afterEach(async () => {
  await Promise.all([llm.close(), search.close(), orders.close()])
  rmSync(folder, { recursive: true, force: true })
})

const task = (number: number): Task => ({ id: `task-${number}`, wish: 'Please order 4 × gauze rolls for the clinic in Lund.' })

function bare(number: number): Promise<TaskResult> {
  return runTask(task(number), bareConnections({ llm: llm.url, search: search.url, orders: orders.url }))
}

function guarded(deadlineMs = 5_000): ProtectedAgent {
  return protectedAgent({ llmBaseUrl: `${llm.url}/v1`, search: search.url, orders: orders.url, deadlineMs })
}

function finishedOf(list: readonly PromiseSettledResult<unknown>[]): number {
  return list.filter((result) => result.status === 'fulfilled').length
}

describe('without faults', () => {
  it('both lanes place the same order with the same requests', async () => {
    await bare(1)
    const after = { llm: llm.stats().received, search: search.stats().received, orders: orders.stats().received }
    expect(after).toEqual({ llm: 2, search: 1, orders: 1 })
    expect(await guarded().run(task(2))).toMatchObject({ degraded: false })
    expect([llm.stats().received, search.stats().received, orders.stats().received]).toEqual([4, 2, 2])
    const placed = (id: number): Promise<object> =>
      fetch(`${orders.url}/orders/${id}`).then((response) => response.json() as Promise<object>)
    const [first, second] = [await placed(1), await placed(2)]
    expect({ ...second, id: 1, task: 'task-1' }).toEqual(first)
  })
})

describe('search', () => {
  it('bare: a search that fails fails the task', async () => {
    await search.setFault({ kind: 'outage', mode: 'error', share: 1 })
    expect(failureReason(await bare(1).catch((error: unknown) => error))).toBe('unavailable')
  })

  it('protected: a search that fails is answered by an earlier answer for the product, or by nothing', async () => {
    const agent = guarded()
    await search.setFault({ kind: 'outage', mode: 'error', share: 1 })
    expect(await agent.run(task(1))).toMatchObject({ degraded: true })
    await search.setFault(undefined)
    expect(await agent.run(task(2))).toMatchObject({ degraded: false })
    await search.setFault({ kind: 'outage', mode: 'error', share: 1 })
    expect(await agent.run(task(3))).toMatchObject({ degraded: true })
    expect(agent.figures().fallbacks).toBe(2)
    expect(orders.stats().extra['rows']).toBe(3)
  })

  it('protected: a search that hangs is given up, then no longer asked', async () => {
    await search.setFault({ kind: 'stall', share: 1 })
    const agent = guarded(10_000)
    const results = await Promise.all([1, 2, 3, 4, 5, 6].map((number) => agent.run(task(number))))
    expect(results.every(({ degraded }) => degraded)).toBe(true)
    const before = search.stats().received
    await agent.run(task(7))
    expect(search.stats().received).toBe(before)
    expect(agent.figures().refused).toBeGreaterThan(0)
  })
})

describe('orders', () => {
  it('bare: an order whose answer is lost is a failed task and a written order', async () => {
    await orders.setFault({ kind: 'outage', mode: 'reset', share: 1 })
    expect(failureReason(await bare(1).catch((error: unknown) => error))).toBe('connection')
    expect(orders.stats().extra['rows']).toBe(1)
  })

  it('protected: orders whose answers are lost are asked for again with the same key, and written once', async () => {
    await orders.setFault({ kind: 'outage', mode: 'reset', share: 0.4 })
    const agent = guarded(20_000)
    const results = await Promise.allSettled(Array.from({ length: 12 }, (_, number) => agent.run(task(number))))
    const finished = finishedOf(results)
    const { rows, tasksOrderedTwice } = orders.stats().extra as { rows: number; tasksOrderedTwice: number }
    expect(orders.stats().repeated).toBeGreaterThan(0)
    expect(tasksOrderedTwice).toBe(0)
    expect(rows).toBeGreaterThanOrEqual(finished)
    expect(rows).toBeLessThanOrEqual(12)
    expect(finished).toBeGreaterThan(1) // how many depends on when the circuit opens
  })
})

describe('model', () => {
  it('protected: an answer that breaks in the middle is made again, the bare lane loses it', async () => {
    await llm.setFault({ kind: 'cut', share: 0.5 })
    const bareResults = await Promise.allSettled(Array.from({ length: 10 }, (_, number) => bare(number)))
    const agent = guarded()
    const results = await Promise.allSettled(Array.from({ length: 10 }, (_, number) => agent.run(task(100 + number))))
    expect(finishedOf(results)).toBeGreaterThan(finishedOf(bareResults))
    const reasons = bareResults.flatMap((result) => (result.status === 'rejected' ? [failureReason(result.reason)] : []))
    expect(new Set(reasons)).toEqual(new Set(['connection']))
  })

  it('protected: when the user leaves, all work for the task ends', async () => {
    await llm.setFault({ kind: 'stall', share: 1 })
    expect(
      failureReason(
        await guarded(200)
          .run(task(1))
          .catch((error: unknown) => error),
      ),
    ).toBe('timeout')
    await vi.waitFor(() => expect(llm.stats().inFlight).toBe(0))
  })

  it('protected: the SDK retries nothing by itself', async () => {
    await llm.setFault({ kind: 'outage', mode: 'error', share: 1 })
    expect(
      failureReason(
        await guarded()
          .run(task(1))
          .catch((error: unknown) => error),
      ),
    ).toBe('unavailable')
    expect(llm.stats().received).toBe(1)
  })

  it('bare: the SDK asks three times', async () => {
    await llm.setFault({ kind: 'outage', mode: 'error', share: 1 })
    expect(failureReason(await bare(1).catch((error: unknown) => error))).toBe('unavailable')
    expect(llm.stats()).toMatchObject({ received: 3, repeated: 2 })
  })
})
