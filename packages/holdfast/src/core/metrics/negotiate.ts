import type { MetricsFormat } from './text-format.ts'

interface MediaRange {
  readonly type: string
  readonly parameters: ReadonlyMap<string, string>
  readonly quality: number
}

/** How well a range fits a format: higher is more specific. */
type Fit = 0 | 1 | 2 | 3

const formats: readonly { readonly format: MetricsFormat; readonly type: string; readonly version: string }[] = [
  { format: 'prometheus', type: 'text/plain', version: '0.0.4' },
  { format: 'openmetrics', type: 'application/openmetrics-text', version: '1.0.0' },
]

/**
 * The format for a scrape, from its Accept header (RFC 9110, 12.5.1): the one with the higher q value; between equal ones the
 * one that is named more precisely. Prometheus text when the header is missing or asks for neither.
 */
export function negotiateMetricsFormat(accept: string | undefined): MetricsFormat {
  const ranges = (accept ?? '').split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/).map(rangeOf)
  let best: MetricsFormat = 'prometheus'
  let bestQuality = 0
  let bestFit: Fit = 0
  for (const { format, type, version } of formats) {
    const { quality, fit } = preference(ranges, type, version)
    if (quality < bestQuality || (quality === bestQuality && fit <= bestFit)) continue
    best = format
    bestQuality = quality
    bestFit = fit
  }
  return bestQuality > 0 ? best : 'prometheus'
}

/** Of the ranges that fit a type, the most specific one says how welcome it is. */
function preference(ranges: readonly MediaRange[], type: string, version: string): { readonly quality: number; readonly fit: Fit } {
  let best: { quality: number; fit: Fit } = { quality: 0, fit: 0 }
  for (const range of ranges) {
    const fit = fitOf(range, type, version)
    if (fit > best.fit || (fit > 0 && fit === best.fit && range.quality > best.quality)) best = { quality: range.quality, fit }
  }
  return best
}

function fitOf({ type: wanted, parameters }: MediaRange, type: string, version: string): Fit {
  const wantedVersion = parameters.get('version')
  if (wantedVersion !== undefined && wantedVersion !== version) return 0
  if (wanted === type) return 3
  if (wanted === `${type.split('/')[0]}/*`) return 2
  return wanted === '*/*' ? 1 : 0
}

function rangeOf(text: string): MediaRange {
  const [type = '', ...rest] = text.split(';').map((part) => part.trim().toLowerCase())
  const parameters = new Map(
    rest.map((part): [string, string] => {
      const [name = '', value = ''] = part.split('=', 2)
      return [name.trim(), value.trim().replace(/^"(.*)"$/, '$1')]
    }),
  )
  return { type, parameters, quality: qualityOf(parameters.get('q')) }
}

/** 0 for a weight that cannot be read: what is unclear is not preferred. */
function qualityOf(text: string | undefined): number {
  if (text === undefined) return 1
  return /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(text) ? Number(text) : 0
}
