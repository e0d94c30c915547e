import { HoldfastError } from '../errors.ts'
import { checkOptionNames, integerOption, invalidOption, show } from '../options.ts'

export type MetricKind = 'counter' | 'gauge' | 'histogram'

/** What every metric is declared with. */
export interface MetricOptions<Names extends string = never> {
  /** Letters, digits and `_`, with the base unit at the end (`_seconds`, `_bytes`); counters end in `_total`. */
  readonly name: string
  /** One sentence that says what is measured. */
  readonly help: string
  /** Names of the labels that tell the metric's series apart. @defaultValue none */
  readonly labelNames?: readonly Names[]
  /** Series kept; further label sets share one in which every label is `__overflow__`. @defaultValue that of the registry */
  readonly maxSeries?: number
}

/** A declaration that was checked. */
export interface Declaration {
  readonly kind: MetricKind
  readonly name: string
  readonly help: string
  readonly labelNames: readonly string[]
  readonly maxSeries: number
}

const optionNames = ['name', 'help', 'labelNames', 'maxSeries']
const metricName = /^[a-zA-Z_][a-zA-Z0-9_]*$/
const labelName = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/
/** Endings that the formats give a meaning of their own. */
export const takenEnding = /_(?:total|bucket|sum|count|created|info)$/

/** Checks what a metric is declared with, against the grammar that both text formats share. */
export function declarationOf(
  kind: MetricKind,
  options: MetricOptions<string>,
  defaultMaxSeries: number,
  furtherOptions: readonly string[] = [],
): Declaration {
  checkOptionNames(kind, options, [...optionNames, ...furtherOptions])
  const { name, help, labelNames = [] } = options
  checkName(kind, name)
  if (typeof help !== 'string' || help.trim() === '') throw invalidOption(name, 'help', help, 'a text that says what is measured')
  checkLabelNames(name, labelNames)
  const maxSeries = integerOption(name, 'maxSeries', options.maxSeries ?? defaultMaxSeries, { min: 1, max: 1_000_000 })
  return { kind, name, help, labelNames: [...labelNames], maxSeries }
}

function checkName(kind: MetricKind, name: unknown): void {
  if (typeof name !== 'string' || name.length > 200 || !metricName.test(name)) {
    throw invalidOption(kind, 'name', name, `at most 200 letters, digits and '_', not beginning with a digit`)
  }
  const bare = kind === 'counter' && name.endsWith('_total') ? name.slice(0, -'_total'.length) : name
  if (kind === 'counter' && bare === name) throw invalidOption(kind, 'name', name, `a name that ends in '_total', as '${name}_total'`)
  if (!metricName.test(bare) || takenEnding.test(bare)) {
    const endings = kind === 'counter' ? `'_total' once` : `no '_total'`
    throw invalidOption(
      kind,
      'name',
      name,
      `a name with ${endings} and without '_bucket', '_sum', '_count', '_created' or '_info' at the end`,
    )
  }
}

function checkLabelNames(metric: string, labelNames: unknown): void {
  if (!Array.isArray(labelNames)) throw invalidOption(metric, 'labelNames', labelNames, 'a list of names')
  labelNames.forEach((name: unknown, index) => {
    const option = `labelNames[${index}]`
    if (typeof name !== 'string' || name.length > 100 || !labelName.test(name)) {
      throw invalidOption(metric, option, name, `at most 100 letters, digits and '_', beginning with a letter or a single '_'`)
    }
    if (name === 'le' || name === 'quantile')
      throw invalidOption(metric, option, name, `neither 'le' nor 'quantile', which the formats use themselves`)
    if (labelNames.indexOf(name) !== index) throw invalidOption(metric, option, name, 'named once')
  })
}

/** Every name the metric's lines and families use in either format; none may belong to another metric. */
export function namesUsedBy({ kind, name }: Declaration): readonly string[] {
  if (kind === 'gauge') return [name]
  if (kind === 'counter') return [name, familyNameOf(name), `${familyNameOf(name)}_created`]
  return [name, `${name}_bucket`, `${name}_sum`, `${name}_count`, `${name}_created`]
}

/** A counter's name in OpenMetrics, whose lines alone carry `_total`. */
export function familyNameOf(counterName: string): string {
  return counterName.slice(0, -'_total'.length)
}

/**
 * Refuses a second declaration that differs from the first.
 * @throws HoldfastError `ERR_INVALID_OPTION`.
 */
export function checkSame(first: Declaration, second: Declaration): void {
  for (const part of ['kind', 'help', 'labelNames', 'maxSeries'] as const) {
    if (JSON.stringify(first[part]) === JSON.stringify(second[part])) continue
    throw declaredOtherwise(first.name, `${part} ${JSON.stringify(first[part])}`, JSON.stringify(second[part]))
  }
}

export function declaredOtherwise(name: string, before: string, now: string): HoldfastError {
  return new HoldfastError({
    code: 'ERR_INVALID_OPTION',
    policy: name,
    message: `${name}: is declared with ${before} already, got ${show(now)}`,
  })
}
