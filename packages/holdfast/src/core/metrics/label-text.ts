import { HoldfastError } from '../errors.ts'
import { redactCredentials } from '../log/redact.ts'
import { show } from '../options.ts'

/** A value for each of the metric's labels. Credentials in it are redacted; longer than 256 characters, it is cut. */
export type LabelValues<Names extends string> = Readonly<Record<Names, string | number | boolean>>

/** What stands in every label of the series that takes the label sets beyond the limit. */
const overflowValue = '__overflow__'

const maxValueLength = 256
const longestRead = 4_000
const loneSurrogates = /\p{Surrogate}/gu

/**
 * The labels as both text formats write them, without braces: `name="value",…`. Equal for equal label sets only.
 * @throws HoldfastError `ERR_INVALID_ARGUMENT` when a label is missing, unknown or no text, number or boolean.
 */
export function labelText(metric: string, names: readonly string[], values: Readonly<Record<string, unknown>>): string {
  let text = ''
  for (const name of names) {
    const value = values[name]
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
      throw badLabels(`${metric}: label '${name}' must be a text, number or boolean, got ${show(value)}`)
    }
    text += `${text === '' ? '' : ','}${name}="${escapeLabel(plainValue(value))}"`
  }
  for (const name in values) {
    if (!names.includes(name)) throw badLabels(`${metric}: there is no label '${name}'; declared: ${names.join(', ') || 'none'}`)
  }
  return text
}

/** The label values as they are kept. */
export function plainLabels(names: readonly string[], values: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name) => [name, plainValue(values[name])]))
}

export function overflowLabels(names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name) => [name, overflowValue]))
}

/** Escapes a label value, and in OpenMetrics the text after HELP. */
export function escapeLabel(text: string): string {
  return /[\\"\n]/.test(text) ? text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n') : text
}

/** Credentials do not reach the metrics page, whoever makes them a label. */
function plainValue(value: unknown): string {
  const text = redactCredentials(String(value).slice(0, longestRead))
  const short = text.length > maxValueLength ? `${text.slice(0, maxValueLength - 1)}…` : text
  return short.replaceAll(loneSurrogates, '\uFFFD')
}

function badLabels(message: string): HoldfastError {
  return new HoldfastError({ code: 'ERR_INVALID_ARGUMENT', message })
}
