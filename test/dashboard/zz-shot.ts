import { chromium } from 'playwright-core'
import { FixtureServer } from '/work/main/test/dashboard/fixture/fixture-server.ts'
import { plots, calmPlots } from '/work/main/test/dashboard/fixture/plot.ts'
const at = Date.UTC(2026, 2, 12, 14, 20, 0)
const [name = 'a', count = '20', w = '1280', h = '800', scheme = 'light', hash = '#/', mode = '', act = ''] = process.argv.slice(2)
const server = new FixtureServer({
  plots: (mode.includes('calm') ? calmPlots : plots)(Number(count), at, 1),
  at,
  session: { who: 'anna', role: 'operate' },
})
const url = await server.listen()
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
})
const page = await browser.newPage({
  viewport: { width: Number(w), height: Number(h) },
  colorScheme: scheme as 'light',
  timezoneId: 'Europe/Berlin',
  deviceScaleFactor: mode.includes('2x') ? 2 : 1,
  forcedColors: mode.includes('forced') ? 'active' : 'none',
})
page.on('console', (m) => console.log('console', m.type(), m.text()))
page.on('pageerror', (e) => console.log('pageerror', e.message, e.stack))
await page.goto(url + '/' + hash)
await page.waitForTimeout(1200)
if (mode.includes('tick'))
  for (let i = 0; i < 3; i++) {
    server.tick()
    await page.waitForTimeout(1000)
  }
if (act)
  for (const a of act.split(';')) {
    const [k, ...v] = a.split(':')
    const s = v.join(':')
    if (k === 'key') await page.keyboard.press(s)
    if (k === 'type') await page.keyboard.type(s)
    if (k === 'move') {
      const [x, y] = s.split(',').map(Number)
      await page.mouse.move(x!, y!)
    }
    if (k === 'click') await page.click(s)
    if (k === 'drop') server.drop({ stayDown: true })
    if (k === 'wait') await page.waitForTimeout(Number(s))
    if (k === 'restart') server.restart()
    if (k === 'eval') console.log(await page.evaluate(s))
  }
await page.waitForTimeout(300)
await page.screenshot({ path: `/tmp/shots/${name}.png` })
console.log(
  await page.evaluate('document.documentElement.scrollWidth + " of " + innerWidth + ", height " + document.documentElement.scrollHeight'),
)
await browser.close()
server.close()
