import { readdir, readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { pageDirectory } from '../package-files.ts'

interface State {
  readonly run: string | null
  readonly sections: Record<string, unknown>
  readonly events: readonly { readonly id: number }[]
}
interface LiveState {
  readonly emptyState: State
  afterSnapshot(known: State, message: object): State
  afterDelta(known: State, message: object): State
}
interface TimeAxis {
  plannedFaults(demo: object): readonly { readonly service: string; readonly from: number; readonly until: number }[]
}

async function pageModule<T>(name: string): Promise<T> {
  return (await import(`${pageDirectory}/${name}`)) as T
}
const event = (id: number): { id: number } => ({ id })

it('a delta replaces the sections it has and keeps the others', async () => {
  const { emptyState, afterSnapshot, afterDelta } = await pageModule<LiveState>('live-state.js')
  const first = afterSnapshot(emptyState, { run: 'a', resumed: false, state: { policies: [1], health: 'x' }, events: [] })
  const second = afterDelta(first, { at: 1, state: { policies: [2] }, events: [event(4)] })
  expect(second).toEqual({ run: 'a', sections: { policies: [2], health: 'x' }, events: [event(4)] })
})

it('after a reconnection no event is shown twice; another run of the server starts anew', async () => {
  const { emptyState, afterSnapshot, afterDelta } = await pageModule<LiveState>('live-state.js')
  const first = afterDelta(afterSnapshot(emptyState, { run: 'a', resumed: false, state: {}, events: [event(1)] }), {
    state: {},
    events: [event(2)],
  })
  const resumed = afterSnapshot(first, { run: 'a', resumed: true, state: {}, events: [event(2), event(3)] })
  expect(resumed.events.map(({ id }) => id)).toEqual([1, 2, 3])
  expect(afterSnapshot(resumed, { run: 'b', resumed: false, state: {}, events: [event(1)] }).events).toEqual([event(1)])
})

it('events are kept in bounded number', async () => {
  const { emptyState, afterSnapshot } = await pageModule<LiveState>('live-state.js')
  const many = Array.from({ length: 500 }, (_, id) => event(id))
  const { events } = afterSnapshot(emptyState, { run: 'a', resumed: false, state: {}, events: many })
  expect(events.length).toBe(50)
  expect(events.at(-1)).toEqual(event(499))
})

it('planned faults come from the script: this round, and the next one if it loops', async () => {
  const { plannedFaults } = await pageModule<TimeAxis>('time-axis.js')
  const script = {
    loops: false,
    index: 0,
    positionMs: 1_000,
    durationMs: 10_000,
    phases: [{ startMs: 4_000, durationMs: 2_000, faults: [{ service: 'llm' }] }],
  }
  expect(plannedFaults({ at: 50_000, script })).toEqual([{ service: 'llm', from: 53_000, until: 55_000 }])
  expect(plannedFaults({ at: 50_000, script: { ...script, loops: true } }).map(({ from }) => from)).toEqual([53_000, 63_000])
  expect(plannedFaults({ at: 50_000, script: { ...script, index: null } })).toEqual([])
})

it('the page fits its own content security policy: no inline script or style, nothing from elsewhere', async () => {
  const html = await readFile(`${pageDirectory}/index.html`, 'utf8')
  expect(html).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/i)
  const suspicious: string[] = []
  for (const name of await readdir(pageDirectory)) {
    const text = (await readFile(`${pageDirectory}/${name}`, 'utf8')).replaceAll('http://www.w3.org/2000/svg', '')
    const found = /(https?:)?\/\/[a-z0-9.-]+\.[a-z]{2,}|innerHTML|insertAdjacentHTML|eval\(|data:[a-z,]/i.exec(text)
    if (found !== null) suspicious.push(`${name}: ${found[0]}`)
  }
  expect(suspicious).toEqual([])
})
