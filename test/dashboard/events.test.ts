import { afterAll, afterEach, expect, it } from 'vitest'
import { Cleanup, operator } from '../support/server.ts'
import { closeBrowser, startVisit, type Visitor } from './visitor.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())
afterAll(closeBrowser)

async function act({ server }: Visitor, action: string, reason: string): Promise<void> {
  const response = await fetch(`${server.controlUrl}/api/v1/policies/circuit-breaker%2Fllm`, {
    method: 'POST',
    headers: operator,
    body: JSON.stringify({ action, reason }),
  })
  expect(response.status).toBe(200)
}

async function fail({ server }: Visitor, count: number): Promise<void> {
  for (let done = 0; done < count; done++) await fetch(`${server.gatewayUrl}/llm/v1`)
}

it('events appear as sentences while one looks, with the rule that opened a circuit and its figures', async () => {
  const visitor = await startVisit(cleanup, { answer: () => 500, entry: '/#/events' })
  const { page } = visitor
  await page.getByRole('heading', { name: 'Events' }).waitFor()
  await fail(visitor, 3)
  const opened = page.getByRole('listitem').filter({ hasText: 'circuit.opened' })
  await opened.waitFor()
  expect(await opened.innerText()).toContain('llm opened its circuit: 3 calls failed; next probe after 45 s')
})

it('S45: the slash key leads to the search, which leaves only what has all its words', async () => {
  const visitor = await startVisit(cleanup, { entry: '/#/events' })
  const { page } = visitor
  await act(visitor, 'isolate', 'first drill')
  await act(visitor, 'close', 'second drill')
  await page.getByText('first drill').waitFor()
  await page.keyboard.press('/')
  await page.keyboard.type('second control')
  await page.getByText('first drill').waitFor({ state: 'detached' })
  await page.getByText('second drill').waitFor()
  expect(await page.getByText('first drill').count()).toBe(0)
  await page.keyboard.press('Escape')
  await page.getByText('first drill').waitFor()
})

it('a paused stream stands still and counts what is newer, then goes on with all of it', async () => {
  const visitor = await startVisit(cleanup, { entry: '/#/events' })
  const { page } = visitor
  await act(visitor, 'isolate', 'before the pause')
  await page.getByText('before the pause').waitFor()
  await page.getByRole('button', { name: 'Pause' }).click()
  await act(visitor, 'close', 'during the pause')
  await page.getByText(/^paused; [1-9]\d* newer$/).waitFor()
  expect(await page.getByText('during the pause').count()).toBe(0)
  await page.getByRole('button', { name: 'Go on' }).click()
  await page.getByText('during the pause').waitFor()
})

it('older pages are read until nothing older is kept, each event once', async () => {
  const visitor = await startVisit(cleanup)
  const { page, goTo, server } = visitor
  for (let count = 0; count < 130; count++) {
    await act(visitor, 'isolate', `out ${count}`)
    await act(visitor, 'close', `in ${count}`)
  }
  const { events } = (await (await fetch(`${server.controlUrl}/api/v1/events?limit=1000`)).json()) as { events: unknown[] }
  expect(events.length).toBeGreaterThan(250)
  await page.reload() // the live feed begins with the latest 200
  await goTo('/events')
  await page.getByRole('status').getByText('shown').waitFor()
  const older = page.getByRole('button', { name: /^(Show older|Reading …)$/ })
  await expect
    .poll(async () => {
      if (await older.isEnabled({ timeout: 100 }).catch(() => false)) await older.click()
      return await page.getByText('Nothing older is kept.').isVisible()
    })
    .toBe(true)
  expect(await page.locator('.toolbar').getByRole('status').innerText()).toBe(`${events.length} shown, newest first`)
})
