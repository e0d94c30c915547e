import { writeFile } from 'node:fs/promises'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { demoSnapshot } from '../../packages/cli/src/demo/demo-snapshot.fixture.ts'
import { Cleanup, operator } from '../support/server.ts'
import { axeViolations, closeBrowser, looks, startVisit, type Visitor } from './visitor.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())
afterAll(closeBrowser)

async function isolate({ server }: Visitor): Promise<void> {
  const response = await fetch(`${server.controlUrl}/api/v1/policies/circuit-breaker%2Fllm`, {
    method: 'POST',
    headers: operator,
    body: JSON.stringify({ action: 'isolate', reason: 'a deploy <b>today</b>', expiresIn: '10m' }),
  })
  expect(response.status).toBe(200)
}

const pages: readonly { readonly path: string; readonly shows: string }[] = [
  { path: '/events', shows: 'a deploy <b>today</b>' },
  { path: '/audit', shows: 'a deploy <b>today</b>' },
  { path: '/configuration', shows: 'reliability.yml' },
]

describe.each(looks)('S44 in %s', (_name, context) => {
  it('events, audit and configuration have nothing that axe objects to, and keep to the policy of the page', async () => {
    const visitor = await startVisit(cleanup, { context })
    const { page, goTo, logIn, complaints } = visitor
    await logIn()
    await isolate(visitor)
    for (const { path, shows } of pages) {
      await goTo(path)
      await page.getByRole('main').getByText(shows).first().waitFor()
      expect(await axeViolations(page), path).toEqual([])
    }
    expect(complaints).toEqual([])
  })

  it("the demo's page has nothing that axe objects to", async () => {
    const { page, goTo, logIn } = await startVisit(cleanup, { context, options: { sections: () => ({ demo: demoSnapshot() }) } })
    await logIn()
    await goTo('/demo')
    await page.getByRole('heading', { level: 1 }).waitFor()
    expect(await axeViolations(page)).toEqual([])
  })
})

it('S46: none of them scrolls sideways at a width of 375 px', async () => {
  const visitor = await startVisit(cleanup, {
    context: { viewport: { width: 375, height: 700 } },
    options: { sections: () => ({ demo: demoSnapshot() }) },
  })
  const { page, goTo, logIn } = visitor
  await logIn()
  await isolate(visitor)
  for (const path of [...pages.map((each) => each.path), '/demo']) {
    await goTo(path)
    await page.getByRole('heading', { level: 1 }).first().waitFor()
    const width = await page.locator('html').evaluate((element) => (element as unknown as { scrollWidth: number }).scrollWidth)
    expect(width, path).toBeLessThanOrEqual(375)
  }
})

it('a refused configuration is told with the place of what is wrong, and the earlier one goes on', async () => {
  const { page, goTo, logIn, configPath } = await startVisit(cleanup)
  await logIn()
  await goTo('/configuration')
  await writeFile(configPath, 'upstreams:\n  llm:\n    urll: http://127.0.0.1:1\n')
  await page.getByLabel('Reason').fill('a try')
  await page.getByRole('button', { name: 'Reload' }).click()
  await page.getByText(/urll/).first().waitFor()
  await page
    .getByText(/refused/)
    .first()
    .waitFor()
  expect(await page.getByRole('main').innerText()).toContain('reliability.yml:3')
})

it('S3: a reader is told what it takes to change something, and may log in as somebody else', async () => {
  const { page, goTo, logIn } = await startVisit(cleanup)
  await logIn('reader')
  await goTo('/policies/circuit-breaker%2Fllm')
  await page
    .getByText(/operate/)
    .first()
    .waitFor()
  expect(await page.getByRole('button', { name: 'Isolate' }).count()).toBe(0)
})
