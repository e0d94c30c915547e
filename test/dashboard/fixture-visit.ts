import type { SessionView } from '@holdfast/server/wire'
import type { BrowserContextOptions, Page } from 'playwright-core'
import type { Cleanup } from '../support/server.ts'
import { FixtureServer } from './fixture/fixture-server.ts'
import { calmPlots, plots } from './fixture/plot.ts'
import { sharedBrowser } from './visitor.ts'

/** What the fixture's clock shows when a visit begins. */
const visitAt = Date.UTC(2026, 2, 12, 14, 20)

export interface FixtureScene {
  /** @defaultValue 20 */
  readonly dependencies?: number
  /** Nothing is wrong. */
  readonly isCalm?: boolean
  readonly context?: BrowserContextOptions
  /** @defaultValue `/#/` */
  readonly entry?: string
  readonly session?: Partial<SessionView>
  /** Runs before the page is asked for. */
  readonly prepare?: (page: Page) => Promise<void>
}

/** Somebody with a browser, at the fixture. */
export interface FixtureVisit {
  readonly page: Page
  readonly server: FixtureServer
  /** Errors in the page, and what its content security policy stopped. */
  readonly complaints: string[]
  /** Requests to anywhere but the server. */
  readonly foreign: string[]
  /** Lets seconds pass on the server, and waits until the page shows the time. */
  tick(seconds?: number): Promise<void>
}

export async function visitFixture(cleanup: Cleanup, scene: FixtureScene = {}): Promise<FixtureVisit> {
  const { dependencies = 20, isCalm = false, context = {}, entry = '/#/', session = {}, prepare } = scene
  const browser = await sharedBrowser()
  const server = new FixtureServer({ plots: (isCalm ? calmPlots : plots)(dependencies, visitAt, 1), at: visitAt, session })
  const url = await server.listen()
  cleanup.add(() => server.close())
  const opened = await browser.newContext({ viewport: { width: 1280, height: 800 }, timezoneId: 'UTC', locale: 'en-GB', ...context })
  cleanup.add(() => opened.close())
  const page = await opened.newPage()
  page.setDefaultTimeout(20_000)
  const complaints: string[] = []
  const foreign: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource: net::ERR_')) complaints.push(message.text())
  })
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== url) foreign.push(request.url())
  })
  await prepare?.(page)
  await page.goto(`${url}${entry}`)
  await page.locator('.connection[data-state=live]').waitFor()
  const tick = async (seconds = 1): Promise<void> => {
    server.tick(seconds)
    const shown = new Date(server.at).toISOString().slice(11, 19)
    await page.locator('.server-clock', { hasText: shown }).waitFor({ state: 'attached' })
  }
  return { page, server, complaints, foreign, tick }
}
