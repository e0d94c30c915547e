import type { Bulkhead } from 'holdfast'
import { afterEach, expect, it } from 'vitest'
import { Cleanup } from '../../support/server.ts'
import { startCanary, startGateway } from './hostile.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

it('requests that wait for a place are served by the priority their header names, and the least important gives way', async () => {
  let release = (): void => undefined
  const canary = await startCanary(cleanup, (request, response) => {
    if (request.url === '/first') release = () => void response.end()
    else response.end()
  })
  const { gatewayUrl, system } = await startGateway(cleanup, canary.url, {
    upstream: '    priority: header:priority',
    pipeline: '{ bulkhead: { maxConcurrent: 1, maxQueued: 3 } }',
  })
  const [places] = [...system.policies().values()].filter(({ kind }) => kind === 'bulkhead') as unknown as Bulkhead[]
  const ask = async (path: string, headers: Record<string, string>): Promise<number> => {
    const response = await fetch(`${gatewayUrl}/up/${path}`, { headers })
    await response.text()
    return response.status
  }
  const first = ask('first', {})
  await expect.poll(() => canary.requests.length).toBe(1)
  const answers: Promise<number>[] = []
  for (const [path, headers] of [
    ['low', { priority: 'low' }],
    ['normal', {}],
    ['urgent', { priority: 'u=1' }],
    ['high', { priority: 'high' }],
  ] as const) {
    answers.push(ask(path, headers))
    await expect.poll(() => (places?.status().queued ?? 0) + (places?.status().displaced ?? 0)).toBe(answers.length)
  }
  release()
  expect(await first).toBe(200)
  expect(await Promise.all(answers)).toEqual([503, 200, 200, 200])
  expect(canary.requests.map(({ url }) => url)).toEqual(['/first', '/urgent', '/high', '/normal'])
})
