import { afterAll, afterEach, expect, it } from 'vitest'
import { demoSnapshot, laneSnapshot } from '../../packages/cli/src/demo/demo-snapshot.fixture.ts'
import { Cleanup } from '../support/server.ts'
import { closeBrowser, startVisit } from './visitor.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())
afterAll(closeBrowser)

const lanes = [
  laneSnapshot('bare', { load: { requests: 2_000, repeated: 500, whileFailing: 603 } }),
  laneSnapshot('holdfast', { load: { requests: 1_500, repeated: 40, whileFailing: 239 } }),
]

it('a visitor who asks for no page in particular comes to the demo first, and the overview stays a click away', async () => {
  const { page } = await startVisit(cleanup, { entry: '/', options: { sections: () => ({ demo: demoSnapshot() }) } })
  await page.getByRole('heading', { name: 'The same work twice: without and with Holdfast' }).waitFor()
  expect(page.url()).toContain('#/demo')
  await page.getByRole('link', { name: 'Overview' }).click()
  await page.locator('.wall').waitFor()
  expect(page.url()).toMatch(/#\/$/)
})

it('without a demo the overview comes first', async () => {
  const { page } = await startVisit(cleanup, { entry: '/' })
  await page.locator('.wall').waitFor()
  expect(page.url()).not.toContain('demo')
  expect(await page.getByRole('link', { name: 'Demo' }).count()).toBe(0)
})

it('both lanes stand on one axis with the same scales, and the score names the same figures of both', async () => {
  const { page, complaints } = await startVisit(cleanup, {
    entry: '/#/demo',
    options: { sections: () => ({ demo: demoSnapshot({ lanes }) }) },
  })
  const score = page.getByRole('table', { name: 'Score' })
  await score.getByRole('row', { name: 'to a failing service 603 239' }).waitFor()
  const plots = page.locator('.demo-plot')
  const edges = await plots.evaluateAll((elements) =>
    elements.map((element) => {
      const { left, width } = (element as unknown as { getBoundingClientRect(): { left: number; width: number } }).getBoundingClientRect()
      return `${left} ${width}`
    }),
  )
  expect(new Set(edges).size, 'one axis').toBe(1)
  const ranges = await page
    .locator('.demo-lane')
    .evaluateAll((elements) =>
      elements.map((element) =>
        [...(element as unknown as { querySelectorAll(selector: string): { textContent: string }[] }).querySelectorAll('small')]
          .map(({ textContent }) => textContent)
          .join(),
      ),
    )
  expect(ranges).toHaveLength(2)
  expect(ranges[0]).toBe(ranges[1])
  expect(complaints).toEqual([])
})

it('S45: the arrow keys read both lanes second by second', async () => {
  const { page } = await startVisit(cleanup, { entry: '/#/demo', options: { sections: () => ({ demo: demoSnapshot({ lanes }) }) } })
  const instant = page.getByRole('slider', { name: 'Instant of the figures of both lanes' })
  await instant.focus()
  expect(await instant.getAttribute('aria-valuetext')).toMatch(/^last second\. bare: .*Holdfast: /)
  await page.keyboard.press('ArrowLeft')
  await page.keyboard.press('ArrowLeft')
  await expect.poll(() => instant.getAttribute('aria-valuetext')).toMatch(/^2 s ago/)
  await page.keyboard.press('Escape')
  await expect.poll(() => instant.getAttribute('aria-valuetext')).toMatch(/^last second/)
})

it('a button injects its fault with a duration, for those who may operate; a refusal is told', async () => {
  const asked: unknown[] = []
  const { page, logIn } = await startVisit(cleanup, { entry: '/#/demo', options: { sections: () => ({ demo: demoSnapshot() }) } })
  await page.route('**/api/v1/demo/faults', (route) => {
    asked.push(route.request().postDataJSON())
    return route.fulfill({ json: { faults: [] } })
  })
  const stall = page.getByRole('group', { name: 'Faults of llm' }).getByRole('button', { name: 'stall' })
  await stall.waitFor()
  expect(await stall.isDisabled()).toBe(true)
  await logIn()
  await page.getByLabel('for').selectOption('60 s')
  await stall.click()
  await page.getByText('llm never answers for 60 s.').waitFor()
  expect(asked).toEqual([{ service: 'llm', fault: 'stall', forMs: 60_000, reason: 'injected on the page' }])
  expect(await stall.getAttribute('aria-pressed'), 'what is in force comes from the live figures only').toBe('false')
  await page.unroute('**/api/v1/demo/faults')
  await page.route('**/api/v1/demo/faults', (route) =>
    route.fulfill({ status: 409, json: { error: { code: 'conflict', message: 'the demo is not running yet' } } }),
  )
  await stall.click()
  await page.getByText('Not done: the demo is not running yet').waitFor()
})
