import { afterAll, afterEach, expect, it } from 'vitest'
import { Cleanup, operator } from '../support/server.ts'
import { closeBrowser, startVisit } from './visitor.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())
afterAll(closeBrowser)

it('S13: a change stands in the audit log with who, what, before and after, why, until when and from where', async () => {
  const { page, goTo, server } = await startVisit(cleanup)
  await fetch(`${server.controlUrl}/api/v1/policies/circuit-breaker%2Fllm`, {
    method: 'POST',
    headers: operator,
    body: JSON.stringify({ action: 'isolate', reason: 'provider outage', expiresIn: '15m' }),
  })
  await goTo('/audit')
  const row = page.getByRole('row', { name: /provider outage/ })
  await row.waitFor()
  const cells = await row.getByRole('cell').allInnerTexts()
  expect(await row.getByRole('rowheader').innerText()).toBe('operator')
  expect(cells[2]).toContain('isolate')
  expect(cells[3]).toBe('circuit-breaker/llm')
  expect(cells[4]).toMatch(/closed.*→.*isolate/s)
  expect(cells[5]).toBe('provider outage')
  expect(cells[6]).toMatch(/^in 1[45] min/)
  expect(cells[7]).toBe('127.0.0.1')
  await page.getByText(/^✓ Verified up to record 1: /).waitFor()
})

it('a chain that does not hold is told as an alert', async () => {
  const { page, goTo } = await startVisit(cleanup)
  const record = {
    id: 7,
    at: Date.now(),
    who: 'anna',
    address: '127.0.0.1',
    action: 'policy.close',
    subject: 'circuit-breaker/llm',
    before: null,
    after: null,
    reason: '<img src=x onerror=alert(1)>',
    expiresAt: null,
    hash: 'ab'.repeat(32),
  }
  await page.route('**/api/v1/audit?*', (route) => route.fulfill({ json: { records: [record], verified: false } }))
  await goTo('/audit')
  await page
    .getByRole('alert')
    .getByText(/chain is broken/)
    .waitFor()
  await page.getByRole('cell', { name: '<img src=x onerror=alert(1)>' }).waitFor()
  expect(await page.getByText(/Verified up to/).count()).toBe(0)
})
