import { readFile, writeFile } from 'node:fs/promises'
import { afterAll, afterEach, expect, it } from 'vitest'
import { Cleanup } from '../support/server.ts'
import { closeBrowser, startVisit } from './visitor.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())
afterAll(closeBrowser)

it('S54: lists the settings in force with where each comes from, searched by the slash key, with or without defaults', async () => {
  const { page, goTo } = await startVisit(cleanup)
  await goTo('/configuration')
  const row = (path: string) => page.getByRole('row', { name: new RegExp(`^${path.replaceAll('.', '\\.')} `) })
  await row('circuitBreakers.llm.openFor').waitFor()
  expect(await row('circuitBreakers.llm.openFor').innerText()).toMatch(/45s\s+\S*reliability\.yml:\d+:\d+$/)
  expect(await row('circuitBreakers.llm.successThreshold').innerText()).toMatch(/2\s+default$/)
  expect(await page.getByRole('main').innerText(), 'no secret is shown').not.toContain('operator-token')
  await page.keyboard.press('/')
  await page.keyboard.type('breakers llm')
  await row('bulkheads.llm.maxConcurrent').waitFor({ state: 'detached' })
  await page.getByLabel('without defaults').check()
  await row('circuitBreakers.llm.successThreshold').waitFor({ state: 'detached' })
  expect(await row('circuitBreakers.llm.openFor').count()).toBe(1)
})

it('a reload brings changed settings into force and shows each with before and after', async () => {
  const { page, goTo, logIn, configPath } = await startVisit(cleanup)
  await logIn()
  await goTo('/configuration')
  await page.getByText('generation 1,').waitFor()
  const text = await readFile(configPath, 'utf8')
  await page.getByLabel('Reason').fill('a longer pause')
  await writeFile(configPath, text.replace('openFor: 45s', 'openFor: 90s'))
  await page.getByRole('button', { name: 'Reload' }).click()
  const changes = page.getByRole('table').filter({ has: page.getByRole('columnheader', { name: 'After' }) })
  const change = changes.getByRole('row', { name: 'circuitBreakers.llm.openFor' })
  await change.waitFor()
  expect(await change.innerText()).toMatch(/45s\s+(90s|1m30s)$/)
  await page.getByText('generation 2,').waitFor()
})
