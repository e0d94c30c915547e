import { HoldfastError } from '../core/errors.ts'
import { show } from '../core/options.ts'
import type { PolicyStatus } from '../core/policy.ts'
import type { CompartmentedBulkheadStatus } from '../patterns/index.ts'
import { instrumentPlans } from './opentelemetry/instruments.ts'

export { tracing, type OpenTelemetryApi, type Tracing, type TracingOptions } from './opentelemetry/tracing.ts'

/** What is used of a Meter of `@opentelemetry/api`: nothing of it is loaded here. */
export interface OpenTelemetryMeter {
  createObservableCounter(name: string, options: InstrumentOptions): unknown
  createObservableUpDownCounter(name: string, options: InstrumentOptions): unknown
  createObservableGauge(name: string, options: InstrumentOptions): unknown
  addBatchObservableCallback(callback: (result: Observations) => void, observables: unknown[]): void
  removeBatchObservableCallback(callback: (result: Observations) => void, observables: unknown[]): void
}

interface InstrumentOptions {
  readonly unit: string
  readonly description: string
}

interface Observations {
  observe(instrument: unknown, value: number, attributes: Record<string, string>): void
}

interface Measured {
  status(): PolicyStatus
}

/** Policies under one roof, such as a `faultTolerantSystem`; what joins later is shown too. */
interface Roof {
  policies(): ReadonlyMap<string, Measured & { readonly kind: string }>
}

export interface OpenTelemetryBridgeOptions {
  /** A policy, a pipeline with its layers, or a system with all of its policies. */
  readonly source: Measured | Roof
  /** Of any provider, `metrics.getMeter('holdfast')` for instance. */
  readonly meter: OpenTelemetryMeter
}

/**
 * Shows policies as observable instruments of an OpenTelemetry meter, read at collection: the calls themselves pay nothing.
 * Every value carries `holdfast.policy.name`. Returns the function that ends it.
 * @throws HoldfastError `ERR_INVALID_ARGUMENT` when source or meter is not one.
 */
export function openTelemetryBridge({ source, meter }: OpenTelemetryBridgeOptions): () => void {
  if (!isRoof(source) && typeof source?.status !== 'function')
    throw invalid(`openTelemetryBridge: source must be a policy or a system, got ${show(source)}`)
  if (typeof meter?.addBatchObservableCallback !== 'function')
    throw invalid(`openTelemetryBridge: meter must be a Meter of @opentelemetry/api, got ${show(meter)}`)
  const instruments = instrumentPlans.map((plan) => ({ plan, instrument: created(meter, plan) }))
  const observe = (result: Observations): void => {
    const statuses = statusesOf(source)
    for (const { plan, instrument } of instruments) {
      for (const status of statuses) {
        if (status.kind !== plan.of) continue
        const attributes = { 'holdfast.policy.name': status.name }
        const found = plan.read(status)
        if (typeof found === 'number') result.observe(instrument, found, attributes)
        if (typeof found !== 'object' || found === null || plan.attribute === undefined) continue
        for (const [key, value] of Object.entries(found))
          if (value !== null) result.observe(instrument, value, { ...attributes, [plan.attribute]: key })
      }
    }
  }
  const observables = instruments.map(({ instrument }) => instrument)
  meter.addBatchObservableCallback(observe, observables)
  return () => meter.removeBatchObservableCallback(observe, observables)
}

function created(meter: OpenTelemetryMeter, { kind, name, unit, description }: (typeof instrumentPlans)[number]): unknown {
  if (kind === 'counter') return meter.createObservableCounter(name, { unit, description })
  if (kind === 'gauge') return meter.createObservableGauge(name, { unit, description })
  return meter.createObservableUpDownCounter(name, { unit, description })
}

function isRoof(source: Measured | Roof): source is Roof {
  return typeof source === 'object' && source !== null && 'policies' in source && typeof source.policies === 'function'
}

/** Of a system the policies that are in it, so that one that stands in two pipelines counts once. */
function statusesOf(source: Measured | Roof): readonly PolicyStatus[] {
  if (!isRoof(source)) return partsOf(source.status())
  return [...source.policies().values()].filter(({ kind }) => kind !== 'pipeline').flatMap((policy) => partsOf(policy.status()))
}

/** What has figures in it: the layers of a pipeline, what a replaceable policy is now, the compartments of a bulkhead. */
function partsOf(status: PolicyStatus): readonly PolicyStatus[] {
  if (status.kind === 'pipeline') return (status['layers'] as readonly PolicyStatus[]).flatMap(partsOf)
  if (status.kind === 'replaceable') return partsOf(status['current'] as PolicyStatus)
  if (status.kind === 'compartmented-bulkhead') return Object.values((status as CompartmentedBulkheadStatus).compartments)
  return [status]
}

function invalid(message: string): HoldfastError {
  return new HoldfastError({ code: 'ERR_INVALID_ARGUMENT', message })
}
