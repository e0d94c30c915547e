import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { root } from '../../tools/workspace.mjs'
import { Cleanup } from '../support/server.ts'
import { closeBrowser, startVisit } from './visitor.ts'
import { visitFixture } from './fixture-visit.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())
afterAll(closeBrowser)

const built = join(root, 'packages/server/assets/dashboard')

/** What a browser loads before it shows anything: the script of the page and what it preloads. */
function initialScripts(): string[] {
  const html = readFileSync(join(built, 'index.html'), 'utf8')
  return [...html.matchAll(/(?:src|href)="\.\/([^"]+\.js)"/g)].map(([, path]) => path ?? '')
}

describe('S55: the page', () => {
  it('needs at most 60 kB of gzipped script before it shows something', async () => {
    await visitFixture(cleanup) // builds it
    const scripts = initialScripts()
    const bytes = scripts.reduce((sum, path) => sum + gzipSync(readFileSync(join(built, path)), { level: 9 }).length, 0)
    process.stdout.write(`      initial script, gzipped: ${(bytes / 1_000).toFixed(1)} kB in ${scripts.length} files\n`)
    expect(scripts.length).toBeGreaterThan(0)
    expect(bytes).toBeLessThan(60_000)
  })

  it('asks nobody but its own server, on no page, and breaks no rule of its content security policy', async () => {
    const { page, foreign, complaints } = await visitFixture(cleanup, { session: { who: 'anna', role: 'operate' } })
    for (const path of [
      '/',
      '/policies',
      '/events',
      '/audit',
      '/configuration',
      '/dependencies/llm',
      '/policies/circuit-breaker%2Fllm',
      '/demo',
      '/none',
    ]) {
      await page.evaluate(`location.hash = ${JSON.stringify(`#${path}`)}`)
      await page.locator('main h1, main .notice-title').first().waitFor({ state: 'attached' })
    }
    expect(foreign).toEqual([])
    expect(complaints).toEqual([])
  })

  it('S14: brings no source maps, and names no address but those of SVG', () => {
    const names = readdirSync(built, { recursive: true, encoding: 'utf8' })
    expect(names.filter((name) => name.endsWith('.map'))).toEqual([])
    const texts = names.filter((name) => /\.(?:js|css|html)$/.test(name)).map((name) => readFileSync(join(built, name), 'utf8'))
    expect(texts.flatMap((text) => text.match(/sourceMappingURL|https?:\/\/(?!www\.w3\.org)[a-z0-9.-]+/gi) ?? [])).toEqual([])
  })
})

describe('the overview of a real server', () => {
  it('shows within seconds that a dependency fails, and what Holdfast does about it', async () => {
    let status = 200
    const visitor = await startVisit(cleanup, { answer: () => status })
    const { page, server, complaints } = visitor
    const ask = async (): Promise<number> => (await fetch(`${server.gatewayUrl}/llm/v1`)).status
    await page.locator('.situation', { hasText: 'The one dependency takes calls' }).waitFor()
    expect(await ask()).toBe(200)
    status = 500
    for (let count = 0; count < 3; count++) await ask()
    expect(await ask()).toBe(503)
    await page.locator('.situation', { hasText: /^llm is failing.*; Holdfast opened its circuit \d+ s ago/ }).waitFor()
    await page.locator('[data-row=llm] .state-word', { hasText: 'open' }).waitFor()
    await page.locator('.situation', { hasText: /1 call was refused/ }).waitFor({ timeout: 20_000 })
    await page.locator('[data-row=llm]').click()
    await page.getByRole('heading', { name: 'llm', exact: true }).waitFor()
    expect(complaints).toEqual([])
  })
})
