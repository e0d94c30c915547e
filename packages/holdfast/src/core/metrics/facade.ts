import { HoldfastError } from '../errors.ts'
import { show } from '../options.ts'
import { takenEnding } from './declaration.ts'
import { metricsRegistry, type MetricsRegistry } from './registry.ts'

/** What a measurement is told apart by. */
export type MetricTags = Readonly<Record<string, string | number | boolean>>

/**
 * Measurements by name, without declarations: the first one declares the metric, with the names of its tags. A name whose ending means
 * something to Prometheus gets `_value`: `agents.count` is shown as `agents_count_value`.
 */
export interface MetricsFacade {
  readonly registry: MetricsRegistry
  /** The value is this now. `queue.depth` is shown as `queue_depth`. */
  gauge(name: string, value: number, tags?: MetricTags): void
  /** So many more. `retry.attempts` is shown as `retry_attempts_total`. @param value 0 or more. @defaultValue 1 */
  increment(name: string, value?: number, tags?: MetricTags): void
  /** It took so long, in ms. `retry.delay` is shown as the histogram `retry_delay_seconds`. */
  timing(name: string, ms: number, tags?: MetricTags): void
}

type Kind = 'gauge' | 'counter' | 'histogram'

interface Known {
  readonly kind: Kind
  readonly labelNames: readonly string[]
  readonly write: (labels: Record<string, string>, value: number) => void
}

/** Names that a facade remembers; further ones are refused, since names that are made up endlessly are a leak. */
const maxNames = 10_000

/**
 * Measurements on a registry, by name. The number of series of each metric is bounded by the registry.
 * @example `metricsFacade(registry).increment('retry.attempts', 1, { operation: 'charge' })`
 */
export function metricsFacade(registry: MetricsRegistry): MetricsFacade {
  return new Facade(registry)
}

class Facade implements MetricsFacade {
  readonly registry: MetricsRegistry
  private readonly known = new Map<string, Known>()

  constructor(registry: MetricsRegistry) {
    this.registry = registry
  }

  gauge(name: string, value: number, tags: MetricTags = {}): void {
    this.write('gauge', name, value, tags)
  }

  increment(name: string, value = 1, tags: MetricTags = {}): void {
    if (!(value >= 0)) throw invalid(`metrics.increment('${name}'): the value must be 0 or more, got ${show(value)}`)
    this.write('counter', name, value, tags)
  }

  timing(name: string, ms: number, tags: MetricTags = {}): void {
    this.write('histogram', name, ms / 1_000, tags)
  }

  private write(kind: Kind, name: string, value: number, tags: MetricTags): void {
    const known = this.known.get(name) ?? this.declare(kind, name, Object.keys(tags))
    if (known.kind !== kind) throw invalid(`'${name}' is a ${known.kind} already, and cannot be a ${kind}`)
    const given = Object.keys(tags)
    if (given.length !== known.labelNames.length || known.labelNames.some((label) => !Object.hasOwn(tags, label)))
      throw invalid(`'${name}' has the tags ${list(known.labelNames)}, and was given ${list(given)}: a metric always has the same ones`)
    known.write(Object.fromEntries(given.map((label) => [labelOf(label), String(tags[label])])), value)
  }

  private declare(kind: Kind, name: string, labelNames: readonly string[]): Known {
    if (typeof name !== 'string' || !/[A-Za-z]/.test(name)) throw invalid(`the name of a metric must have letters, got ${show(name)}`)
    if (this.known.size >= maxNames) throw invalid(`'${name}' would be one metric more than ${maxNames}: put what differs into tags`)
    const known: Known = { kind, labelNames, write: this.writer(kind, name, labelNames.map(labelOf)) }
    this.known.set(name, known)
    return known
  }

  private writer(kind: Kind, name: string, labelNames: readonly string[]): Known['write'] {
    const options = { help: `${name}, as the application reports it.`, labelNames }
    if (kind === 'gauge') {
      const gauge = this.registry.gauge<string>({ ...options, name: freeName(name) })
      return (labels, value) => gauge.labels(labels).set(value)
    }
    if (kind === 'counter') {
      const counter = this.registry.counter<string>({
        ...options,
        name: withSuffix(freeName(name.replace(/[^A-Za-z0-9]total$/, '')), '_total'),
      })
      return (labels, value) => counter.labels(labels).add(value)
    }
    const histogram = this.registry.histogram<string>({ ...options, name: withSuffix(promName(name), '_seconds') })
    return (labels, value) => histogram.labels(labels).observe(value)
  }
}

/** `circuit_breaker.state` as Prometheus writes it. */
function promName(name: string): string {
  const plain = name.replaceAll(/[^A-Za-z0-9_]+/g, '_')
  return /^[0-9]/.test(plain) ? `_${plain}` : plain
}

/** The name without an ending that the formats give a meaning of their own. */
function freeName(name: string): string {
  const plain = promName(name)
  return takenEnding.test(plain) ? `${plain}_value` : plain
}

function labelOf(tag: string): string {
  return promName(tag)
}

function withSuffix(name: string, suffix: string): string {
  return name.endsWith(suffix) ? name : name + suffix
}

function list(names: readonly string[]): string {
  return names.length === 0 ? '(none)' : names.join(', ')
}

function invalid(message: string): HoldfastError {
  return new HoldfastError({ code: 'ERR_INVALID_ARGUMENT', message })
}

let shared: MetricsFacade | undefined

function defaultFacade(): MetricsFacade {
  return (shared ??= metricsFacade(metricsRegistry()))
}

/** Measurements on a registry of the process's own, made at the first one; `metrics.registry.render()` is its page. */
export const metrics: MetricsFacade = {
  get registry() {
    return defaultFacade().registry
  },
  gauge: (name, value, tags) => defaultFacade().gauge(name, value, tags),
  increment: (name, value, tags) => defaultFacade().increment(name, value, tags),
  timing: (name, ms, tags) => defaultFacade().timing(name, ms, tags),
}
