import type { CDPSession, Page } from 'playwright-core'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { Cleanup } from '../support/server.ts'
import { visitFixture } from './fixture-visit.ts'
import { closeBrowser } from './visitor.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())
afterAll(closeBrowser)

const operator = { who: 'anna', role: 'operate' } as const

/** Counts what changes in the document from now on. */
async function countMutations(page: Page): Promise<() => Promise<number>> {
  await page.evaluate(`(() => {
    globalThis.mutations = 0
    new MutationObserver((records) => (globalThis.mutations += records.length))
      .observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true })
  })()`)
  return async () => Number(await page.evaluate('globalThis.mutations'))
}

/** Milliseconds of script, style, layout and painting by the page's main thread so far, as the browser counts them. */
async function busyMs(session: CDPSession): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics')
  return (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0) * 1_000
}

async function profiled(page: Page): Promise<CDPSession> {
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable')
  return session
}

describe('S49: 1,000 policies', () => {
  it('of which only those near the window are rows; a key in the filter changes no more than these', async () => {
    const { page } = await visitFixture(cleanup, { dependencies: 250, entry: '/#/policies' })
    await page.getByText('999 policies').waitFor()
    const rows = page.locator('.policy-table tbody tr[data-row]')
    expect(await rows.count()).toBeLessThan(60)
    const mutations = await countMutations(page)
    await page.keyboard.press('/')
    const session = await profiled(page)
    const before = await busyMs(session)
    for (const [text, count] of [
      ['s', /of 999/],
      ['service-01', /^400 of 999/],
      ['service-0123', /^4 of 999/],
    ] as const) {
      await page.keyboard.press('Control+a')
      await page.keyboard.insertText(text)
      await page.getByText(count).waitFor()
    }
    process.stdout.write(
      `      3 filter inputs over 1,000 policies: ${Math.round(await busyMs(session)) - Math.round(before)} ms of the main thread\n`,
    )
    expect(await rows.count()).toBe(4)
    expect(await mutations(), 'changes to the document').toBeLessThan(3_000)
  })

  it('a tick that changes all of them touches only the rows that exist, once', async () => {
    const { page, tick } = await visitFixture(cleanup, { dependencies: 250, entry: '/#/policies' })
    await page.getByText('999 policies').waitFor()
    await tick()
    const mutations = await countMutations(page)
    const session = await profiled(page)
    const before = await busyMs(session)
    for (let count = 0; count < 5; count++) await tick()
    process.stdout.write(`      a tick of 1,000 policies: ${((await busyMs(session)) - before) / 5} ms of the main thread\n`)
    expect((await mutations()) / 5).toBeLessThan(200)
  })

  it('focus, selection and place stay when everything is updated', async () => {
    const { page, tick } = await visitFixture(cleanup, { dependencies: 250, entry: '/#/policies', session: operator })
    await page.getByText('999 policies').waitFor()
    for (let count = 0; count < 45; count++) await page.keyboard.press('j')
    const focused = async (): Promise<unknown> => await page.evaluate('document.activeElement.closest("[data-row]")?.dataset.row')
    await expect.poll(() => page.evaluate('document.activeElement.closest("[data-row]")?.getAttribute("aria-rowindex")')).toBe('46')
    const name = await focused()
    expect(name).toBeTruthy()
    const row = page.locator(`[data-row="${String(name)}"]`)
    await row.getByRole('checkbox').check()
    await row.getByRole('link').focus()
    const place = await page.evaluate('scrollY')
    expect(place).toBeGreaterThan(100)
    for (let count = 0; count < 3; count++) await tick(5)
    expect(await focused()).toBe(name)
    expect(await row.getByRole('checkbox').isChecked()).toBe(true)
    expect(await page.evaluate('scrollY')).toBe(place)
    // out of sight, it is still there
    await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)')
    await page.locator('[aria-rowindex="1000"]').waitFor()
    expect(await focused()).toBe(name)
  })

  it('1,000 dependencies on the wall are as few rows, and j goes beyond what is rendered', async () => {
    const { page, tick } = await visitFixture(cleanup, { dependencies: 1_000 })
    await page.locator('.wall-row').first().waitFor()
    expect(await page.locator('.wall-row').count()).toBeLessThan(60)
    const session = await profiled(page)
    await tick()
    const before = await busyMs(session)
    for (let count = 0; count < 5; count++) await tick()
    process.stdout.write(`      a tick of 1,000 dependencies: ${((await busyMs(session)) - before) / 5} ms of the main thread\n`)
    for (let count = 0; count < 60; count++) await page.keyboard.press('j')
    await expect
      .poll(() => page.evaluate('Number(document.activeElement.closest("[data-row]")?.getAttribute("aria-rowindex"))'))
      .toBeGreaterThan(50)
    expect(await page.locator('.wall-row').count()).toBeLessThan(60)
  })
})

describe('S51: bulk actions', () => {
  it('are for the filtered set, say the count, and ask for reason and expiry', async () => {
    const { page, server, complaints } = await visitFixture(cleanup, { dependencies: 60, entry: '/#/policies', session: operator })
    await page.getByLabel(/^Filter policies/).fill('service-005')
    await page.getByRole('button', { name: 'Change 10 of the 40 shown …' }).click()
    const dialog = page.getByRole('dialog', { name: 'Change 10 policies' })
    await dialog.getByRole('radio', { name: 'Isolate' }).check()
    await dialog.getByRole('button', { name: 'Isolate 10' }).click()
    expect(server.changes, 'nothing without a reason').toEqual([])
    await dialog.getByLabel('Reason').fill('moving the data centre')
    await dialog.getByRole('radio', { name: '4 h', exact: true }).check()
    await dialog.getByRole('button', { name: 'Isolate 10' }).click()
    await dialog.waitFor({ state: 'detached' })
    const ids = Array.from({ length: 10 }, (_, index) => `circuit-breaker/service-005${index}`)
    expect(server.changes).toEqual([
      { method: 'POST', path: '/api/v1/policies', body: { ids, action: 'isolate', reason: 'moving the data centre', expiresIn: '4h' } },
    ])
    expect(complaints).toEqual([])
  })

  it('are for the selected ones when some are, and not there for readers', async () => {
    const scene = { dependencies: 60, entry: '/#/policies' }
    const { page } = await visitFixture(cleanup, { ...scene, session: operator })
    await page.getByLabel('Select circuit breaker llm').check()
    await page.getByLabel('Select circuit breaker search').check()
    await page.getByRole('button', { name: 'Change the 2 selected …' }).waitFor()
    const reader = await visitFixture(cleanup, { ...scene, session: { who: 'ben', role: 'read' } })
    await reader.page.locator('.policy-table').waitFor()
    expect(await reader.page.getByRole('button', { name: /^Change/ }).count()).toBe(0)
    expect(await reader.page.getByRole('checkbox').count()).toBe(0)
  })
})
