import type { Page } from 'playwright-core'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { Cleanup } from '../support/server.ts'
import { visitFixture } from './fixture-visit.ts'
import { axeViolations, closeBrowser, looks } from './visitor.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())
afterAll(closeBrowser)

const rowNames = async (page: Page): Promise<string[]> => await page.locator('.wall-row .row-title a').allTextContents()
const stateOf = (page: Page, name: string) => page.locator(`[data-row="${name}"] .row-state`)
const focusedText = async (page: Page): Promise<string> => String(await page.evaluate('document.activeElement.textContent'))

/** Whether something wider than the window makes the page scroll sideways. */
const scrollsSideways = async (page: Page): Promise<boolean> =>
  Boolean(await page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth'))

/** The colours a row's picture is made of. */
async function coloursOf(page: Page, name: string): Promise<number> {
  await page.locator(`[data-row="${name}"] canvas`).waitFor()
  return Number(
    await page.evaluate(`(() => {
      const canvas = document.querySelector('[data-row="${name}"] canvas')
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
      return new Set(new Uint32Array(data.buffer)).size
    })()`),
  )
}

describe('the wall', () => {
  it('answers the first question in a sentence: what is broken, since when, what has been done', async () => {
    const { page, complaints } = await visitFixture(cleanup)
    const sentence = page.locator('.situation')
    await sentence.getByText('calls were refused').waitFor()
    expect(await sentence.textContent()).toMatch(
      /^3 of 20 dependencies are in trouble\. First, llm is failing \(\d+ % errors since 14:15\); Holdfast opened its circuit 3 min 2\d s ago, [\d,]+ calls were refused, next probe in \d+ s\. Then search \(half-open, since 14:18\), embeddings \(paused, since 14:19\)\.$/,
    )
    expect(await page.locator('.asides').textContent()).toContain('payments isolated by anna (2')
    expect(await page.title()).toBe('3 in trouble · Holdfast')
    expect(complaints).toEqual([])
  })

  it('when all is well says so, and how it knows', async () => {
    const { page } = await visitFixture(cleanup, { isCalm: true, dependencies: 3 })
    await expect
      .poll(() => page.locator('.situation').textContent())
      .toMatch(/^All 3 dependencies take calls: [\d.]+ calls\/s in the last minute, [\d.]+ % of them answered well\.$/)
    expect(await page.title()).toBe('Holdfast')
  })

  it('shows 20 dependencies without scrolling at 1280 × 800, worst first, each with its picture', async () => {
    const { page } = await visitFixture(cleanup)
    await stateOf(page, 'llm').getByText('open').waitFor()
    expect((await rowNames(page)).slice(0, 6)).toEqual(['llm', 'search', 'embeddings', 'payments', 'geocoder', 'mail'])
    expect(await page.locator('.wall-row').count()).toBe(20)
    await expect.poll(() => page.evaluate('document.documentElement.scrollHeight <= innerHeight')).toBe(true)
    await expect.poll(() => coloursOf(page, 'llm')).toBeGreaterThan(5)
  })

  it('S50: a state set by hand stands on its row with owner and time left', async () => {
    const { page } = await visitFixture(cleanup)
    await expect.poll(() => stateOf(page, 'payments').textContent()).toBe('isolated by anna, 24 min left')
  })

  it('one crosshair shows the values of one instant in every row, and leaves with the pointer', async () => {
    const { page } = await visitFixture(cleanup)
    await expect.poll(() => coloursOf(page, 'llm')).toBeGreaterThan(5)
    const box = await page.locator('[data-row=llm] canvas').boundingBox()
    if (box === null) throw new Error('the row has no picture')
    await page.mouse.move(box.x + box.width / 3, box.y + 5)
    expect(await page.locator('.crosshair-time').textContent()).toMatch(/^14:(09|10):/)
    expect(await stateOf(page, 'llm').textContent()).toBe('closed')
    expect(await stateOf(page, 'mail').textContent()).toBe('closed')
    await page.mouse.move(box.x + box.width * 0.7, box.y + 5)
    expect(await stateOf(page, 'mail').textContent()).toBe('disabled by hand')
    await page.mouse.move(box.x, 10)
    await page.locator('.crosshair-time').waitFor({ state: 'detached' })
    await stateOf(page, 'llm').getByText('open').waitFor()
  })

  it('keeps the order while somebody points at it, and moves on afterwards', async () => {
    const { page, tick } = await visitFixture(cleanup)
    await page.locator('[data-row=crm]').hover()
    await tick(25) // search is closed again meanwhile
    await stateOf(page, 'search').getByText('closed').waitFor()
    expect((await rowNames(page)).slice(0, 3)).toEqual(['llm', 'search', 'embeddings'])
    await page.mouse.move(5, 5)
    await expect.poll(async () => (await rowNames(page)).slice(0, 2)).toEqual(['llm', 'embeddings'])
  })

  it('goes on with the feed where the history ended: every bucket is counted once', async () => {
    const { page, tick } = await visitFixture(cleanup, { dependencies: 1 })
    const words = page.locator('[data-row=llm] canvas')
    await expect.poll(() => words.getAttribute('aria-label')).toMatch(/sent/)
    const requests: string[] = []
    page.on('request', (request) => requests.push(request.url()))
    await tick(60)
    const live = await words.getAttribute('aria-label')
    expect(requests.filter((url) => url.endsWith('/api/v1/history?range=15m'))).toEqual([])
    await page.reload()
    await expect.poll(() => words.getAttribute('aria-label')).toBe(live)
  })

  it('has a table behind it, with the same dependencies and what concerned all', async () => {
    const { page } = await visitFixture(cleanup)
    await page.getByRole('button', { name: 'Table' }).click()
    const table = page.getByRole('table')
    expect(await table.getByRole('row').count()).toBe(21)
    const row = table.getByRole('row', { name: /^llm/ })
    await expect.poll(() => row.textContent()).toMatch(/^llmopen.*3 min \d+ s$/)
    await page.getByText('What concerned all').click()
    await page.getByText('note: deploy api 2.14').waitFor()
  })

  it('filters by name and state, and says when nothing is left', async () => {
    const { page } = await visitFixture(cleanup)
    await page.keyboard.press('/')
    await page.keyboard.type('half')
    await expect.poll(() => rowNames(page)).toEqual(['search'])
    await page.keyboard.type('zzz')
    await page.getByText('No dependency has “halfzzz”').waitFor()
    await page.keyboard.press('Escape')
    await expect.poll(() => page.locator('.wall-row').count()).toBe(20)
  })

  it('another range reads another history', async () => {
    const { page } = await visitFixture(cleanup)
    const asked = page.waitForRequest((request) => request.url().endsWith('/api/v1/history?range=24h'))
    await page.getByRole('radio', { name: '24 h' }).check()
    await asked
    await expect.poll(() => page.locator('.tick').allTextContents()).toContain('00:00')
  })
})

describe('S44: axe finds nothing', () => {
  it.each(looks)('on overview, its table, the help, and the policies, in %s', async (_name, context) => {
    const { page, complaints } = await visitFixture(cleanup, { context, session: { who: 'anna', role: 'operate' } })
    await page.locator('.wall-row').first().waitFor()
    expect(await axeViolations(page), 'overview').toEqual([])
    await page.getByRole('button', { name: 'Table' }).click()
    expect(await axeViolations(page), 'table').toEqual([])
    await page.keyboard.press('?')
    await page.getByRole('dialog').waitFor()
    expect(await axeViolations(page), 'help').toEqual([])
    await page.keyboard.press('Escape')
    await page.getByRole('link', { name: 'Policies' }).click()
    await page.locator('.policy-table').waitFor()
    expect(await axeViolations(page), 'policies').toEqual([])
    await page.getByRole('button', { name: /^Change 19 of/ }).click()
    await page.getByRole('dialog').waitFor()
    expect(await axeViolations(page), 'bulk dialog').toEqual([])
    expect(complaints).toEqual([])
  })

  it('every state has a shape and a name beside its colour', async () => {
    const { page } = await visitFixture(cleanup)
    await page.keyboard.press('?')
    const rows = page.getByRole('dialog').locator('.state-table tr')
    const shapes = await rows
      .locator('.glyph')
      .evaluateAll((glyphs) => glyphs.map((glyph) => (glyph as unknown as { innerHTML: string }).innerHTML))
    expect(shapes).toHaveLength(8)
    expect(new Set(shapes).size).toBe(8)
  })
})

describe('S45: by keyboard only', () => {
  it('j and k walk through the rows, Enter opens one, Escape comes back', async () => {
    const { page } = await visitFixture(cleanup)
    await page.locator('.wall-row').first().waitFor()
    for (const key of ['j', 'j', 'j', 'k']) await page.keyboard.press(key)
    expect(await focusedText(page)).toBe('search')
    expect(await page.evaluate('getComputedStyle(document.querySelector("[data-row=search]")).outlineStyle')).toBe('solid')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'search', exact: true }).waitFor()
    await page.keyboard.press('Escape')
    await page.locator('.wall-row').first().waitFor()
  })

  it('arrows move the crosshair of the row with the focus, Escape removes it', async () => {
    const { page } = await visitFixture(cleanup)
    await expect.poll(() => coloursOf(page, 'llm')).toBeGreaterThan(5)
    await page.keyboard.press('j')
    for (let count = 0; count < 3; count++) await page.keyboard.press('ArrowLeft')
    expect(await page.locator('.crosshair-time').textContent()).toMatch(/^14:19:45/)
    await page.keyboard.press('Escape')
    await page.locator('.crosshair-time').waitFor({ state: 'detached' })
  })

  it('/ goes to the search, ? lists the keys, Escape closes and gives the focus back', async () => {
    const { page } = await visitFixture(cleanup)
    await page.locator('.wall-row').first().waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keys and states' }).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    expect(await focusedText(page)).toBe('llm')
    await page.keyboard.press('/')
    expect(await page.evaluate('document.activeElement.type')).toBe('search')
  })

  it('everything on the page can be reached with Tab, and shows that it has the focus', async () => {
    const { page } = await visitFixture(cleanup, { dependencies: 2, session: { who: 'anna', role: 'operate' } })
    await page.locator('.wall-row').first().waitFor()
    const reached: string[] = []
    for (let count = 0; count < 40; count++) {
      await page.keyboard.press('Tab')
      const [label, isSeen] = await page.evaluate<[string, boolean]>(`(() => {
        const element = document.activeElement
        if (element === document.body) return ['', true]
        const around = [element, element.nextElementSibling, element.closest('[data-row]')].filter(Boolean)
        const isSeen = around.some((each) => getComputedStyle(each).outlineStyle !== 'none')
        return [element.getAttribute('aria-label') ?? (element.textContent || element.value), isSeen]
      })()`)
      if (label === '') break
      expect(isSeen, label).toBe(true)
      reached.push(label)
    }
    expect(reached.join('|')).toMatch(/Skip to content.*Holdfast.*Overview.*Configuration.*Log out.*15m.*Filter.*Table.*llm.*search/)
  })
})

describe('S46: other screens and habits', () => {
  it.each([
    ['375 px wide', { width: 375, height: 812 }],
    ['at 200 % zoom of 1280 × 800', { width: 640, height: 400 }],
  ])('nothing scrolls sideways %s', async (_name, viewport) => {
    const { page } = await visitFixture(cleanup, { context: { viewport }, session: { who: 'anna', role: 'operate' } })
    await page.locator('.wall-row').first().waitFor()
    expect(await scrollsSideways(page), 'overview').toBe(false)
    expect((await page.locator('[data-row=llm] canvas').boundingBox())?.width).toBeGreaterThan(viewport.width * 0.85)
    for (const name of ['Policies', 'Events', 'Audit', 'Configuration']) {
      await page.getByRole('navigation').getByRole('link', { name }).click()
      await page.locator('main h1, main table').first().waitFor({ state: 'attached' })
      expect(await scrollsSideways(page), name).toBe(false)
    }
  })

  it('nothing moves for those who want less motion', async () => {
    const { page } = await visitFixture(cleanup, { context: { reducedMotion: 'reduce' } })
    await page.locator('.wall-row').first().waitFor()
    expect(await page.evaluate('getComputedStyle(document.querySelector(".wall-row")).transitionProperty')).toBe('none')
  })

  it('the colours are chosen, kept, and the pictures follow', async () => {
    const { page } = await visitFixture(cleanup)
    const background = async (): Promise<unknown> => await page.evaluate('getComputedStyle(document.body).backgroundColor')
    await page.getByRole('button', { name: 'Colours: as the system' }).click()
    const light = await background()
    const picture = async (): Promise<unknown> => await page.evaluate('document.querySelector("[data-row=llm] canvas").toDataURL()')
    await expect.poll(() => coloursOf(page, 'llm')).toBeGreaterThan(5)
    const before = await picture()
    await page.getByRole('button', { name: 'Colours: light' }).click()
    expect(await background()).not.toBe(light)
    await expect.poll(picture).not.toBe(before)
    await page.reload()
    await page.getByRole('button', { name: 'Colours: dark' }).waitFor()
  })

  it('times are ages or clock times in the named zone, as the viewer likes', async () => {
    const { page } = await visitFixture(cleanup)
    await stateOf(page, 'llm')
      .getByText(/open\s+1\d s/)
      .waitFor()
    const toggle = page.getByRole('button', { name: /^ages/ })
    expect(await toggle.textContent()).toContain('UTC')
    await toggle.click()
    await stateOf(page, 'llm').getByText('since 14:19:44').waitFor()
  })
})
