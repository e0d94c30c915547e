import type { MetricsFormat } from './text-format.ts'

export interface ParsedSample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  readonly exemplar?: string
}

export interface ParsedFamily {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly samples: ParsedSample[]
}

const suffixes: Readonly<Record<MetricsFormat, Readonly<Record<string, readonly string[]>>>> = {
  prometheus: { counter: [''], gauge: [''], histogram: ['_bucket', '_sum', '_count'] },
  openmetrics: { counter: ['_total'], gauge: [''], histogram: ['_bucket', '_sum', '_count'] },
}

/** Reads a metrics page strictly, as the formats' descriptions have it: one HELP and TYPE per family, then its lines, each series once. */
export function parsePage(format: MetricsFormat, page: string): ReadonlyMap<string, ParsedFamily> {
  if (page === '' && format === 'prometheus') return new Map()
  if (!page.endsWith('\n')) throw new Error('the page does not end in a newline')
  const lines = page.slice(0, -1).split('\n')
  if (format === 'openmetrics' && lines.pop() !== '# EOF') throw new Error('the page does not end in # EOF')
  const families = new Map<string, ParsedFamily>()
  const seen = new Set<string>()
  let family: ParsedFamily | undefined
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] as string
    const help = /^# HELP (\w+) (.*)$/.exec(line)
    if (help !== null) {
      const type = /^# TYPE (\w+) (counter|gauge|histogram)$/.exec(lines[++index] ?? '')
      const [, name = '', text = ''] = help
      if (type?.[1] !== name) throw new Error(`no TYPE for ${name} after its HELP`)
      if (families.has(name)) throw new Error(`${name} has two HELP lines`)
      family = { name, type: type[2] as string, help: unescaped(format, text), samples: [] }
      families.set(name, family)
      continue
    }
    if (family === undefined) throw new Error(`a line before any HELP: ${line}`)
    const sample = parseSample(format, line)
    const current = family
    const fits = (suffixes[format][current.type] as readonly string[]).some((suffix) => sample.name === current.name + suffix)
    if (!fits) throw new Error(`${sample.name} does not belong to ${current.name}`)
    const series = JSON.stringify([sample.name, sample.labels])
    if (seen.has(series)) throw new Error(`the series ${series} stands twice`)
    seen.add(series)
    current.samples.push(sample)
  }
  return families
}

function parseSample(format: MetricsFormat, line: string): ParsedSample {
  const name = /^[a-zA-Z_:][\w:]*/.exec(line)?.[0]
  if (name === undefined) throw new Error(`no name: ${line}`)
  const labels: Record<string, string> = {}
  let at = name.length
  if (line[at] === '{') {
    do {
      const label = /^([a-zA-Z_]\w*)="((?:[^"\\]|\\[\\"n])*)"/.exec(line.slice(at + 1))
      if (label === null) throw new Error(`bad label at ${at + 1}: ${line}`)
      const [whole, labelName = '', text = ''] = label
      if (labelName in labels) throw new Error(`label ${labelName} stands twice: ${line}`)
      labels[labelName] = text.replace(/\\([\\"n])/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped))
      at += 1 + whole.length
    } while (line[at] === ',')
    if (line[at++] !== '}') throw new Error(`labels do not end: ${line}`)
  }
  const rest = /^ (NaN|[+-]Inf|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?: # (.*))?$/.exec(line.slice(at))
  if (rest === null) throw new Error(`bad value: ${line}`)
  const [, value = '', exemplar] = rest
  if (exemplar !== undefined && (format === 'prometheus' || !/^\{trace_id="[^"]+"\} \d\S* \d+\.\d{3}$/.test(exemplar))) {
    throw new Error(`bad exemplar: ${line}`)
  }
  return { name, labels, value: Number(value.replace('Inf', 'Infinity')), ...(exemplar !== undefined && { exemplar }) }
}

function unescaped(format: MetricsFormat, text: string): string {
  if (format === 'openmetrics' && /(?:^|[^\\])(?:\\\\)*"/.test(text)) throw new Error(`a bare " in HELP: ${text}`)
  const escapes = format === 'openmetrics' ? /\\([\\"n])/g : /\\([\\n])/g
  return text.replace(escapes, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped))
}
