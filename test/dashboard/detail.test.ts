import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { Cleanup } from '../support/server.ts'
import { visitFixture } from './fixture-visit.ts'
import { axeViolations, closeBrowser, looks, startVisit, type Visitor } from './visitor.ts'

const breaker = '/policies/circuit-breaker%2Fllm'
const cleanup = new Cleanup()
afterEach(() => cleanup.run())
afterAll(closeBrowser)

async function askGateway({ server }: Visitor, count = 1): Promise<number[]> {
  return await Promise.all(Array.from({ length: count }, async () => (await fetch(`${server.gatewayUrl}/llm/v1`)).status))
}

async function forceOpen({ page }: Visitor, reason: string): Promise<void> {
  await page.getByRole('button', { name: 'Force open' }).click()
  await page.getByLabel('Reason').fill(reason)
  await page.getByRole('dialog').getByRole('button', { name: 'Force open' }).click()
}

describe('the page of a policy', () => {
  it('S50: a forced state asks for a reason and an expiry, is shown with its owner and the time left, and is taken back', async () => {
    const visitor = await startVisit(cleanup)
    const { page, goTo, logIn } = visitor
    await logIn()
    await goTo(breaker)
    await page.getByRole('button', { name: 'Force open' }).click()
    const dialog = page.getByRole('dialog')
    expect(await dialog.textContent()).toContain('All calls to llm will be refused')
    expect(await dialog.getByLabel('1 h').isChecked()).toBe(true)
    await dialog.getByRole('button', { name: 'Force open' }).click()
    expect(await dialog.isVisible(), 'no action without a reason').toBe(true)
    await dialog.getByLabel('Reason').fill('provider outage')
    await dialog.getByRole('button', { name: 'Force open' }).click()
    const notice = page.getByRole('note')
    await notice.waitFor()
    expect(await notice.textContent()).toMatch(/^Forced open by operator .*“provider outage”\. Takes itself back in (59 min|1 h)/)
    expect(await askGateway(visitor)).toEqual([503])
    await page.getByText('opened its circuit (forced)').first().waitFor()

    await notice.getByRole('button', { name: 'Take back' }).click()
    await dialog.getByRole('button', { name: 'Close', exact: true }).last().click()
    await notice.waitFor({ state: 'detached' })
    expect(await askGateway(visitor)).toEqual([200])
    expect(visitor.complaints).toEqual([])
  })

  it('S53: a change that the server refuses is told as not done, and nothing on the page looks done', async () => {
    const visitor = await startVisit(cleanup)
    const { page, goTo, logIn } = visitor
    await logIn()
    await goTo(breaker)
    await page.route('**/api/v1/policies/**', (route) =>
      route.request().method() === 'POST'
        ? route.fulfill({
            status: 503,
            json: { error: { code: 'not-recorded', message: 'not changed, because that could not be put on record' } },
          })
        : route.continue(),
    )
    await forceOpen(visitor, 'drill')
    await page.getByRole('alert').getByText('Not done: not changed, because that could not be put on record').waitFor()
    expect(await page.getByRole('dialog').isVisible()).toBe(true)
    expect(await page.getByRole('note').count()).toBe(0)
    await page.unroute('**/api/v1/policies/**')
    await page.route('**/api/v1/policies/**', (route) => route.abort())
    await page.getByRole('dialog').getByRole('button', { name: 'Force open' }).click()
    await page.getByRole('alert').getByText('Not done:').waitFor()
    expect(await page.getByRole('note').count()).toBe(0)
    expect(await askGateway(visitor)).toEqual([200])
  })

  it('S3: those who may not operate see no actions, but what it takes', async () => {
    const { page, goTo, logIn } = await startVisit(cleanup)
    await goTo(breaker)
    await page.getByText("Actions need the role 'operate'.").waitFor()
    expect(await page.getByRole('button', { name: 'Force open' }).count()).toBe(0)
    await page.getByRole('main').getByRole('button', { name: 'Log in' }).click()
    await page.keyboard.press('Escape')
    await logIn('reader')
    await page.getByText("Actions need the role 'operate'; reader may only read.").waitFor()
    expect(await page.getByRole('button', { name: 'Force open' }).count()).toBe(0)
  })

  it('S54: shows the settings in force, each with where it comes from', async () => {
    const { page, goTo } = await startVisit(cleanup)
    await goTo(breaker)
    const row = (name: string) => page.getByRole('row', { name: new RegExp(`^${name} `) })
    await row('openFor').waitFor()
    expect(await row('openFor').textContent()).toMatch(/^openFor45s.*reliability\.yml:\d+:\d+$/)
    expect(await row('successThreshold').textContent()).toMatch(/^successThreshold2default$/)
  })

  it('S45: an action is done by keyboard alone, and the focus comes back', async () => {
    const { page, goTo, logIn } = await startVisit(cleanup)
    await logIn()
    await goTo(breaker)
    const isolate = page.getByRole('button', { name: 'Isolate' })
    await isolate.focus()
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    expect(await isolate.evaluate((button) => button.matches(':focus'))).toBe(true)
    await page.keyboard.press('Enter')
    await page.getByLabel('Reason').focus()
    await page.keyboard.type('drill')
    await page.keyboard.press('Enter')
    await page.getByRole('note').getByText('Isolated by hand').waitFor()
  })
})

describe('the page of a dependency', () => {
  it('S52: a silence takes one click with a duration, says who and how much longer, and is taken back', async () => {
    const { page, goTo, logIn, server } = await startVisit(cleanup)
    await logIn()
    await goTo('/dependencies/llm')
    const silence = page.getByRole('group', { name: 'Silence for llm' })
    await silence.getByRole('button', { name: '1 h' }).click()
    await silence.getByText(/^Silenced by operator for another (59 min|1 h)/).waitFor()
    const { dependencies } = (await (await fetch(`${server.controlUrl}/api/v1/dependencies`)).json()) as {
      dependencies: { silence: { expiresAt: number; at: number } }[]
    }
    expect(dependencies[0]?.silence).toMatchObject({ by: 'operator', reason: 'silenced on the page' })
    expect((dependencies[0]?.silence.expiresAt ?? 0) - (dependencies[0]?.silence.at ?? 0)).toBe(3_600_000)
    await silence.getByRole('button', { name: 'Take back' }).click()
    await silence.getByRole('button', { name: '1 h' }).waitFor()
  })

  it('shows the pipeline in the order a call passes it, with limits and the timeout in the charts', async () => {
    const visitor = await startVisit(cleanup)
    const { page, goTo, complaints } = visitor
    await askGateway(visitor, 3)
    await goTo('/dependencies/llm')
    await page.getByRole('slider', { name: 'Latency of attempts, instant' }).waitFor()
    const names = await page.locator('.pipeline-head').allTextContents()
    expect(names.map((text) => text.replace(/(closed|passing)$/, ''))).toEqual([
      'timeoutllm.totalTimeout',
      'circuit breakerllm',
      expect.stringMatching(/^rate limiterllm-quota/),
      'bulkheadllm',
      'timeoutllm.attemptTimeout',
      expect.stringMatching(/^dependencyllm/),
    ])
    expect(complaints).toEqual([])
  })

  it('S45: the arrow keys move the crosshair of all charts together, and a table holds their numbers', async () => {
    const { page, goTo } = await startVisit(cleanup)
    await goTo('/dependencies/llm')
    const latency = page.getByRole('slider', { name: 'Latency of attempts, instant' })
    await latency.focus()
    await page.keyboard.press('End')
    const newest = await latency.getAttribute('aria-valuenow')
    await page.keyboard.press('ArrowLeft')
    await expect.poll(() => latency.getAttribute('aria-valuenow')).toBe(String(Number(newest) - 1))
    const places = page.getByRole('slider', { name: 'Calls running and waiting, instant' })
    await expect.poll(() => places.getAttribute('aria-valuenow')).toBe(String(Number(newest) - 1))
    await page.keyboard.press('Escape')
    await expect.poll(() => page.locator('.chart-crosshair:not([hidden])').count()).toBe(0)
    expect(page.url()).toContain('#/dependencies/llm')
    await page.getByText('Table of Latency of attempts').click()
    await page.getByRole('region', { name: 'Latency of attempts, as a table' }).getByRole('columnheader', { name: 'p99' }).waitFor()
  })

  it('draws the charts anew when the colours change, without waiting for new figures', async () => {
    // the fixture's clock stands still, so that nothing else draws them
    const { page } = await visitFixture(cleanup, { entry: '/#/dependencies/llm', context: { colorScheme: 'light' } })
    const canvas = page.locator('.chart-canvas canvas').first()
    await canvas.waitFor()
    const picture = () => canvas.evaluate((element) => (element as unknown as { toDataURL(): string }).toDataURL())
    await expect.poll(async () => (await picture()) === (await picture())).toBe(true)
    const light = await picture()
    await page.emulateMedia({ colorScheme: 'dark' })
    await expect.poll(picture).not.toBe(light)
  })

  it('says so when the address names nothing', async () => {
    const { page, goTo } = await startVisit(cleanup)
    await goTo('/dependencies/%3Cimg%20onerror%3Dalert(1)%3E')
    await expect.poll(() => page.getByText('There is no dependency named <img onerror=alert(1)>.').count()).toBe(1)
  })

  it('S46: has no horizontal scroll at a width of 375 px', async () => {
    const { page, goTo } = await startVisit(cleanup, { context: { viewport: { width: 375, height: 700 } } })
    for (const path of ['/dependencies/llm', breaker]) {
      await goTo(path)
      await page.getByRole('slider').first().waitFor()
      expect(
        await page.locator('html').evaluate((element) => (element as unknown as { scrollWidth: number }).scrollWidth),
        path,
      ).toBeLessThanOrEqual(375)
    }
  })
})

describe.each(looks)('S44 in %s', (_name, context) => {
  it.each(['/dependencies/llm', breaker])('%s has nothing that axe objects to', async (path) => {
    const { page, goTo, logIn } = await startVisit(cleanup, { context })
    await logIn()
    await goTo(path)
    await page.getByRole('slider').first().waitFor()
    expect(await axeViolations(page)).toEqual([])
  })
})
