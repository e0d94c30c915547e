import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root } from '../../../tools/workspace.mjs'
import { allowedAttempts, describeCell, runMatrix, usualRetries, type Cell } from './matrix.ts'
import { withTables } from './page.ts'

const unhandled: unknown[] = []
const note = (reason: unknown): void => void unhandled.push(reason)

let cells: readonly Cell[]
let ours: readonly Cell[]
let theirs: readonly Cell[]
beforeAll(async () => {
  process.on('unhandledRejection', note)
  cells = await runMatrix()
  ours = cells.filter(({ maxRetries }) => maxRetries === 0)
  theirs = cells.filter(({ maxRetries }) => maxRetries > 0)
}, 150_000)
afterAll(() => void process.off('unhandledRejection', note))

describe('every client under every fault, through the gateway', () => {
  it('hangs never: every call ends by the limits of the gateway', () => {
    expect(cells.filter(({ hung }) => hung).map(titleOf)).toEqual([])
  })

  it('63: the provider is asked no more often than the policies allow, and by each client equally often', () => {
    expect(ours.filter(({ asked }) => asked > allowedAttempts).map(titleOf)).toEqual([])
    const perFault = askedByFault(ours)
    expect([...perFault].filter(([, asked]) => asked.size > 1).map(([fault]) => fault)).toEqual([])
  })

  it('59: no text comes twice: whatever came is the beginning of the answer', () => {
    expect(cells.filter(({ text, wholeText }) => !wholeText.startsWith(text)).map(titleOf)).toEqual([])
    expect(cells.filter(({ text }) => text !== '').length).toBeGreaterThan(clientsAndModes)
  })

  it('leaves no rejection that nobody handles', () => {
    expect(unhandled).toEqual([])
  })

  it('ends well for every fault that a retry or a pause mends', () => {
    const mended = ours.filter(({ scenario }) => /^(no fault|slow, |429 once|529 once|more than its rate limit)/.test(scenario.title))
    expect(mended).toHaveLength(7 * clientsAndModes)
    expect(mended.filter((cell) => describeCell(cell) !== 'answer').map(titleOf)).toEqual([])
  })

  it('a connection that breaks in the middle is an error to every client, never a short answer', () => {
    const broken = ours.filter(({ scenario }) => /^(cuts|never ends|stops in the middle)/.test(scenario.title))
    expect(broken.length).toBeGreaterThan(0)
    expect(broken.filter(({ error }) => error === undefined).map(titleOf)).toEqual([])
  })

  it('67: an open circuit costs the provider nothing and tells every client at once', () => {
    const open = ours.filter(({ scenario }) => scenario.title === 'the circuit is open')
    expect(open).toHaveLength(clientsAndModes)
    expect(open.filter(({ asked, error }) => asked > 0 || error === undefined).map(titleOf)).toEqual([])
  })

  it("with the clients' own retries on, x-should-retry: false keeps openai and Anthropic's client at the policies' attempts", () => {
    const multiplied = new Set(theirs.filter(({ asked }) => asked > allowedAttempts).map(({ client }) => client.name))
    expect([...multiplied]).toEqual(['ai', '@langchain/openai'])
    expect(theirs.filter(({ asked }) => asked > allowedAttempts * (usualRetries + 1)).map(titleOf)).toEqual([])
  })

  it('is what docs/clients.md says (npm run clients -- --write)', () => {
    const page = readFileSync(join(root, 'docs/clients.md'), 'utf8')
    expect(page).toBe(withTables(page, cells))
  })
})

/** Four clients, streamed or not. */
const clientsAndModes = 8

function titleOf(cell: Cell): string {
  const { scenario, client, mode, maxRetries, asked } = cell
  return `${scenario.title}, ${client.name}, ${mode}, own retries ${maxRetries}: ${asked} requests, ${describeCell(cell)}`
}

/** How often the provider was asked, by fault and mode. */
function askedByFault(of: readonly Cell[]): ReadonlyMap<string, ReadonlySet<number>> {
  const groups = new Map<string, Set<number>>()
  for (const { scenario, mode, asked } of of) {
    const fault = `${scenario.title}, ${mode}`
    groups.set(fault, (groups.get(fault) ?? new Set()).add(asked))
  }
  return groups
}
