import { afterAll, afterEach, expect, it } from 'vitest'
import { Cleanup } from '../support/server.ts'
import { closeBrowser, startVisit, type Visitor } from './visitor.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())
afterAll(closeBrowser)

const token = 'operator-token-0123456789'

/** Everything a script of the page could read later: stores, cookies, the address. */
async function readableTraces({ page }: Visitor): Promise<string> {
  return await page.evaluate(() => {
    const { localStorage, sessionStorage, document, location } = globalThis as unknown as Record<string, Record<string, unknown>>
    return JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document?.['cookie'], location?.['href']])
  })
}

it('a token in the address logs in, leaves the address at once, and nothing a script can read holds it', async () => {
  const visitor = await startVisit(cleanup, { entry: `/#token=${token}` })
  const { page } = visitor
  await page.getByRole('banner').getByText('operator', { exact: true }).waitFor()
  expect(await readableTraces(visitor)).not.toContain(token)
  await page.goBack().catch(() => undefined)
  expect(page.url()).not.toContain(token)
})

it('a token in the address that is not known says so, and asks for another', async () => {
  const { page } = await startVisit(cleanup, { entry: '/#token=made-up' })
  await page.getByRole('dialog').getByText('The token in the address was not taken: this token is not known here.').waitFor()
  expect(page.url()).not.toContain('made-up')
})

it('a typed token is stored nowhere, the session outlives a reload, and logging out ends it', async () => {
  const visitor = await startVisit(cleanup)
  const { page, logIn } = visitor
  await logIn()
  expect(await readableTraces(visitor)).not.toContain(token)
  await page.reload()
  const banner = page.getByRole('banner')
  await banner.getByText('operator', { exact: true }).waitFor()
  await banner.getByRole('button', { name: 'Log out' }).click()
  await banner.getByRole('button', { name: 'Log in' }).waitFor()
  await page.reload()
  await banner.getByRole('button', { name: 'Log in' }).waitFor()
})

it('S12: after too many wrong tokens the dialog says how long to wait', async () => {
  const { page } = await startVisit(cleanup)
  await page.getByRole('banner').getByRole('button', { name: 'Log in' }).click()
  const field = page.getByLabel('Token')
  const said = page.getByRole('dialog').getByRole('alert')
  await field.fill('wrong')
  await page.keyboard.press('Enter')
  await said.getByText('Not logged in: this token is not known here.').waitFor()
  expect(await field.inputValue(), 'the field is emptied').toBe('')
  await page.evaluate(async () => {
    for (let count = 0; count < 12; count++) {
      await fetch('/api/v1/session', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"token":"wrong"}' })
    }
  })
  await field.fill('wrong')
  await page.keyboard.press('Enter')
  await said.getByText(/^Not logged in: too many wrong tokens from this address: try again in \d+ s$/).waitFor()
})

it('a session that ended on the server is noticed when an action is refused, and a log-in is offered', async () => {
  const { page, goTo, logIn } = await startVisit(cleanup)
  await logIn()
  await goTo('/policies/circuit-breaker%2Fllm')
  await page.getByRole('button', { name: 'Isolate' }).click()
  await page.context().clearCookies()
  await page.getByLabel('Reason').fill('drill')
  await page.keyboard.press('Enter')
  await page.getByText('Your session has ended.').waitFor()
  expect(await page.getByRole('note').count()).toBe(0)
})
