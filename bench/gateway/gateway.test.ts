import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findNeighbour, neighbours, type Neighbour } from '../../tools/neighbours.mjs'
import { Children } from '../processes/children.ts'
import { contestants, type Contestant, type Ground } from './contestants.ts'
import { startUpstream } from './ground.ts'
import { holdfastFromSource } from './holdfast.ts'
import { loadGenerator, readWrk } from './load.ts'
import { payload } from './payload.ts'
import { firstEventMs } from './sample.ts'
import { shuffled } from './shuffle.ts'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-test-'))
const children = new Children()

function path(neighbour: Neighbour): string | undefined {
  const found = findNeighbour(neighbour)
  return 'path' in found ? found.path : undefined
}

afterAll(async () => {
  await children.stopAll()
  rmSync(folder, { recursive: true, force: true })
})

describe('the contestants of the gateway benchmark', () => {
  let subjects: readonly Contestant[] = []

  beforeAll(async () => {
    const [nginx, haproxy] = [path(neighbours.nginx), path(neighbours.haproxy)]
    const upstream = await startUpstream(nginx, folder, children, undefined)
    const ground: Ground = {
      upstream: upstream.url,
      folder,
      children,
      core: undefined,
      holdfast: holdfastFromSource,
      others: new Map(),
      nginx,
      haproxy,
    }
    subjects = contestants(ground)
  })

  it('all pass on the same bytes, the same method and server-sent events, and end when asked', async () => {
    expect(subjects.length).toBeGreaterThanOrEqual(7)
    for (const { name, start } of subjects) {
      const { child, url } = await start()
      const got = await fetch(`${url}/item`)
      expect([name, got.status, got.headers.get('content-type'), await got.text()]).toEqual([name, 200, 'application/json', payload])
      const posted = await fetch(`${url}/item`, { method: 'POST', body: '{"a":1}', headers: { 'content-type': 'application/json' } })
      expect([name, posted.status, await posted.text()]).toEqual([name, 200, payload])
      expect(await firstEventMs(url), name).toBeGreaterThan(0)
      await child?.stop()
      expect(child?.hasEnded ?? true, name).toBe(true)
    }
  })

  it('the generator that stands in for wrk counts what was answered', async () => {
    const [direct] = subjects
    const { url } = await (direct as Contestant).start()
    const result = await loadGenerator(undefined, children, undefined).run(`${url}/item`, 4, 0.2)
    expect(result.requests).toBeGreaterThan(4)
    expect(result.failed).toBe(0)
    expect(result.p99Ms).toBeGreaterThanOrEqual(result.p50Ms)
  })
})

describe("wrk's report", () => {
  const report = `Running 1s test @ http://127.0.0.1:1/item
  Latency Distribution
     50%  980.00us
     75%    1.60ms
     99%    1.25s 
  75402 requests in 5.05s, 90.16MB read
  Socket errors: connect 1, read 2, write 3, timeout 4
  Non-2xx or 3xx responses: 5
Requests/sec:  14930.00
`

  it('is read with its units and all its failures', () => {
    expect(readWrk(report)).toEqual({ requests: 75_402, failed: 15, p50Ms: 0.98, p99Ms: 1_250 })
  })
})

it('the order of a round follows from the seed and leaves nobody out', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f']
  expect(shuffled(names, 7)).toEqual(shuffled(names, 7))
  expect(shuffled(names, 7).toSorted()).toEqual(names)
  expect(new Set([1, 2, 3, 4, 5].map((seed) => shuffled(names, seed).join(''))).size).toBeGreaterThan(1)
})
