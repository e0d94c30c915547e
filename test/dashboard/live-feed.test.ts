import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { Cleanup } from '../support/server.ts'
import { visitFixture } from './fixture-visit.ts'
import { closeBrowser } from './visitor.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())
afterAll(closeBrowser)

describe('S48: the connection', () => {
  it('lost is told as reconnecting, then as stale with its age; what is shown stays; live again it is whole', async () => {
    const { page, server, tick, complaints } = await visitFixture(cleanup, { prepare: (each) => each.clock.install() })
    const connection = page.locator('.connection')
    await page.locator('.wall-row').first().waitFor()
    server.drop({ stayDown: true })
    await connection.getByText('reconnecting').waitFor()
    await page.clock.fastForward(12_000)
    await connection.getByText(/^stale 1\d s/).waitFor()
    expect(await page.getByRole('alert').textContent()).toContain('Nothing has come from the server since 14:20:00.')
    expect(await page.title()).toBe('stale · Holdfast')
    expect(await page.locator('.wall-row').count()).toBe(20)
    server.tick(60) // while nobody is connected
    server.comeBack()
    await page.clock.fastForward(20_000)
    await connection.getByText('live').waitFor()
    await page.getByRole('alert').waitFor({ state: 'detached' })
    await tick()
    // what happened meanwhile is on the ribbon: search was closed, embeddings went on
    await page.locator('[data-row=search] .row-state').getByText('closed').waitFor()
    expect(complaints).toEqual([])
  })

  it('comes back with the id of the last event, and no event is missing or there twice', async () => {
    const { page, server, tick } = await visitFixture(cleanup, { entry: '/#/dependencies/llm' })
    const times = page.locator('section', { hasText: 'What happened lately' }).locator('time')
    await times.first().waitFor()
    await tick(18) // over a probe
    const before = server.eventCount
    server.drop({ stayDown: true })
    server.tick(40)
    server.comeBack()
    await page.locator('.connection[data-state=live]').waitFor()
    await tick()
    expect(server.comers).toEqual([null, `run-1:${before}`])
    const shown = await times.evaluateAll((all) => all.map((time) => (time as unknown as { dateTime: string }).dateTime))
    const told = server.eventsOf('circuit-breaker/llm').map(({ at }) => new Date(at).toISOString())
    expect(shown.length).toBeGreaterThan(4)
    expect(shown).toEqual(told.toReversed().slice(0, shown.length))
  })

  it('a connection that is open but silent is not taken for live', async () => {
    const { page, server } = await visitFixture(cleanup, { prepare: (each) => each.clock.install() })
    server.fallSilent(true)
    await page.clock.fastForward(5_000)
    await page.locator('.connection').getByText('reconnecting').waitFor()
    await page.clock.fastForward(7_000)
    await page.locator('.connection').getByText('stale').waitFor()
    await page.clock.fastForward(20_000)
    server.fallSilent(false)
    await expect.poll(() => server.comers.length, { timeout: 15_000 }).toBeGreaterThan(1)
    await page.locator('.connection[data-state=live]').waitFor()
  })

  it('a restart of the server is noticed and told', async () => {
    const { page, server } = await visitFixture(cleanup)
    server.restart()
    await page.getByText('The server was restarted').waitFor()
    await page.getByRole('button', { name: 'Dismiss' }).click()
    await expect.poll(() => page.getByText('The server was restarted').count()).toBe(0)
  })
})

it('S47: those who listen hear of changes of state, once, and of nothing else', async () => {
  const { page, tick } = await visitFixture(cleanup)
  await page.locator('.wall-row').first().waitFor()
  await page.evaluate(`(() => {
    globalThis.heard = []
    const region = document.querySelector('[aria-live=polite]')
    new MutationObserver(() => globalThis.heard.push(region.textContent)).observe(region, { childList: true, characterData: true, subtree: true })
  })()`)
  const heard = async (): Promise<unknown> => await page.evaluate('globalThis.heard')
  await tick()
  await tick()
  await tick()
  expect(await heard(), 'ticks without a change').toEqual([])
  await tick(12) // llm is probed
  await expect.poll(heard).toEqual(['llm is half-open.'])
})
