import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatProblem, loadConfig, startServer, type RunningServer, type StartServerOptions } from '@holdfast/server'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import { ensurePageBuilt } from '../../tools/build.mjs'
import { root } from '../../tools/workspace.mjs'
import { neighbour } from '../support/neighbours.ts'
import { startHttp, type Cleanup } from '../support/server.ts'

/** Nothing that asks other hosts, and no sandbox, which a container has no rights for. */
const browserArguments = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Somebody with a browser, at a server of their own. */
export interface Visitor {
  readonly page: Page
  /** What went wrong in the page: errors, and what the content security policy stopped. */
  readonly complaints: string[]
  readonly server: RunningServer
  /** The file the server's configuration comes from. */
  readonly configPath: string
  /** Goes to a path such as `/events`. */
  goTo(path: string): Promise<void>
  /** Logs in as the operator or the reader of the test's configuration, through the dialog. */
  logIn(who?: 'operator' | 'reader'): Promise<void>
}

let browser: Browser | undefined

/** The browser of this file's tests; the page is built before it opens. */
export async function sharedBrowser(): Promise<Browser> {
  const executablePath = neighbour('chromium')
  await ensurePageBuilt(root)
  browser ??= await chromium.launch({ executablePath, args: browserArguments })
  return browser
}

/** To be called when a file's tests are over. */
export async function closeBrowser(): Promise<void> {
  await browser?.close()
  browser = undefined
}

/** The upstream `llm` answers with what `answer` says; a breaker, a bulkhead and timeouts stand before it. */
export interface Scene {
  readonly answer?: () => number
  readonly options?: StartServerOptions
  readonly context?: BrowserContextOptions
  /** Where the visitor comes in. @defaultValue `/#/` */
  readonly entry?: string
}

export async function startVisit(
  cleanup: Cleanup,
  { answer = () => 200, options = {}, context = {}, entry = '/#/' }: Scene = {},
): Promise<Visitor> {
  const shared = await sharedBrowser()
  const upstream = await startHttp((_request, response) => {
    response.writeHead(answer()).end('{}')
  }, cleanup)
  const { server, configPath } = await startReloadable(configuration(upstream), cleanup, options)
  const opened = await shared.newContext({ viewport: { width: 1280, height: 800 }, ...context })
  cleanup.add(() => opened.close())
  const page = await opened.newPage()
  page.setDefaultTimeout(10_000)
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (/Content Security Policy/i.test(message.text())) complaints.push(message.text())
  })
  await page.goto(`${server.controlUrl}${entry}`)
  return {
    page,
    complaints,
    server,
    configPath,
    goTo: async (path) => {
      await page.goto(`${server.controlUrl}/#${path}`)
    },
    logIn: async (who = 'operator') => {
      await page.getByRole('banner').getByRole('button', { name: 'Log in' }).click()
      await page.getByLabel('Token').fill(`${who}-token-0123456789`)
      await page.keyboard.press('Enter')
      await page.getByRole('banner').getByText(who, { exact: true }).waitFor()
    },
  }
}

/** Holdfast as `holdfast serve` runs it: it knows where its configuration comes from, and can load it anew. */
async function startReloadable(
  yaml: string,
  cleanup: Cleanup,
  options: StartServerOptions,
): Promise<{ readonly server: RunningServer; readonly configPath: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-page-'))
  cleanup.add(() => rm(folder, { recursive: true, force: true }))
  const configPath = join(folder, 'reliability.yml')
  await writeFile(configPath, yaml.replaceAll('{{data}}', join(folder, 'data')))
  const loaded = loadConfig(configPath, { env: {} })
  if (!loaded.ok) throw new Error(loaded.errors.map(formatProblem).join('\n'))
  const server = await startServer(loaded.config, {
    log: { write: () => undefined },
    origin: { path: configPath, env: {}, loaded },
    ...options,
  })
  cleanup.add(() => server.close())
  return { server, configPath }
}

function configuration(upstream: string): string {
  return `
server:
  dataDir: '{{data}}'
  gateway: { port: 0 }
  control: { port: 0 }
  tokens:
    - { name: operator, role: operate, value: operator-token-0123456789 }
    - { name: reader, role: read, value: reader-token-0123456789 }
circuitBreakers:
  llm:
    failureThreshold: 3
    failureWindow: 60s
    openFor: 45s
bulkheads:
  llm: { maxConcurrent: 8, maxQueued: 4 }
upstreams:
  llm:
    url: ${upstream}
    pipeline:
      totalTimeout: 20s
      circuitBreaker: llm
      bulkhead: llm
      attemptTimeout: 5s
`
}

const axeSource = readFileSync(createRequire(join(root, 'package.json')).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe finds wrong on the page as it stands, each as `rule: element`. */
export async function axeViolations(page: Page): Promise<readonly string[]> {
  await page.evaluate(axeSource) // not as a script element: the page's policy forbids what does not come from its server
  return await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string; nodes: { target: unknown }[] }[] }> } }
    const { violations } = await axe.run()
    return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${JSON.stringify(target)}`))
  })
}

/** The looks in which a page must be legible. */
export const looks: readonly (readonly [name: string, context: BrowserContextOptions])[] = [
  ['light', { colorScheme: 'light' }],
  ['dark', { colorScheme: 'dark' }],
  ['forced colours', { forcedColors: 'active' }],
]
