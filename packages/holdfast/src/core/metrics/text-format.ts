import { familyNameOf, type Declaration } from './declaration.ts'
import type { Exemplar } from './exemplars.ts'
import { escapeLabel } from './label-text.ts'

/** `prometheus`: text format 0.0.4. `openmetrics`: OpenMetrics 1.0. */
export type MetricsFormat = 'prometheus' | 'openmetrics'

/** The Content-Type of each format. */
export const metricsContentTypes: Readonly<Record<MetricsFormat, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
}

/** The HELP and TYPE lines, which stand once for all series of a metric. */
export function headerLines(format: MetricsFormat, { kind, name, help }: Declaration): string {
  const isOpen = format === 'openmetrics'
  const family = isOpen && kind === 'counter' ? familyNameOf(name) : name
  const text = isOpen ? escapeLabel(help) : help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
  return `# HELP ${family} ${text}\n# TYPE ${family} ${kind}\n`
}

export function sampleLine(name: string, labels: string, value: number, exemplar?: Exemplar): string {
  const series = labels === '' ? name : `${name}{${labels}}`
  const line = `${series} ${numberText(value)}`
  return exemplar === undefined ? `${line}\n` : `${line} # ${exemplarText(exemplar)}\n`
}

/** A bucket's bound: OpenMetrics wants a decimal point in it. */
export function boundText(format: MetricsFormat, bound: number): string {
  const text = numberText(bound)
  return format === 'openmetrics' && Number.isInteger(bound) && !text.includes('e') ? `${text}.0` : text
}

export function endLine(format: MetricsFormat): string {
  return format === 'openmetrics' ? '# EOF\n' : ''
}

function exemplarText({ traceId, value, at }: Exemplar): string {
  return `{trace_id="${traceId}"} ${numberText(value)} ${(at / 1_000).toFixed(3)}`
}

function numberText(value: number): string {
  if (value === Infinity) return '+Inf'
  return value === -Infinity ? '-Inf' : String(value)
}
