import { clients } from './clients.ts'
import { describeCell, type Cell, type Mode } from './matrix.ts'

const begin = '<!-- what the clients saw: written by npm run clients -- --write -->'
const end = '<!-- end of what the clients saw -->'

/** The page with its tables as the cells say. */
export function withTables(page: string, cells: readonly Cell[]): string {
  const from = page.indexOf(begin)
  const to = page.indexOf(end)
  if (from === -1 || to < from) throw new Error(`the page has no place for its tables: '${begin}' … '${end}'`)
  return `${page.slice(0, from + begin.length)}\n\n${tables(cells)}\n\n${page.slice(to)}`
}

function tables(cells: readonly Cell[]): string {
  const ours = cells.filter(({ maxRetries }) => maxRetries === 0)
  const theirs = cells.filter(({ maxRetries }) => maxRetries > 0)
  return [
    ['### A streamed answer', sightTable(ours, 'stream')],
    ['### An answer in one piece', sightTable(ours, 'complete')],
    ["### With the clients' own retries left on", retryTable(theirs)],
  ]
    .flat()
    .join('\n\n')
}

/** One row for each fault: how often the provider was asked, and what each client saw. */
function sightTable(cells: readonly Cell[], mode: Mode): string {
  const rows = byScenario(cells.filter((cell) => cell.mode === mode)).map(([title, row]) => {
    const asked = new Set(row.map((cell) => cell.asked))
    return [title, [...asked].join(' or '), ...row.map(describeCell)]
  })
  return table(['the provider', 'requests', ...clients.map(({ name }) => `\`${name}\``)], rows)
}

function retryTable(cells: readonly Cell[]): string {
  const rows = byScenario(cells).map(([title, row]) => [title, ...row.map(({ asked }) => String(asked))])
  return table(['requests, when the provider', ...clients.map(({ name }) => `\`${name}\``)], rows)
}

/** The cells of each fault, in the clients' order. */
function byScenario(cells: readonly Cell[]): readonly (readonly [string, readonly Cell[]])[] {
  const titles = [...new Set(cells.map(({ scenario }) => scenario.title))]
  return titles.map((title) => [title, cells.filter(({ scenario }) => scenario.title === title)])
}

/** Laid out as the formatter lays tables out. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]): string => `| ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join('\n')
}
