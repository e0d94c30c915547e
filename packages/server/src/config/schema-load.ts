import * as z from 'zod'
import { boolean, duration, integer, number, ratio } from './scalars.ts'
import { section } from './section.ts'

/** The settings of a load shedder as `loadShedder()` takes them; durations in ms. */
export interface LoadShedderSettings {
  readonly name: string
  readonly maxLoad: number
  readonly shedFrom?: number
  readonly capacity?: number
  readonly retryAfter: number
  readonly dark: boolean
}

/** The settings of an adaptive limit as `adaptiveConcurrency()` takes them; durations in ms. */
export interface AdaptiveConcurrencySettings {
  readonly name: string
  readonly minLimit: number
  readonly maxLimit: number
  readonly maxQueued: number
  readonly maxWait?: number
  readonly algorithm: 'probing' | 'aimd'
  readonly shared: boolean
}

/** The settings of a throttler as `throttler()` takes them; durations in ms. */
export interface ThrottlerSettings {
  readonly name: string
  readonly maxConcurrent?: number
  readonly perSecond?: number
  readonly maxQueued: number
  readonly maxWait?: number
}

/** The settings of a hedge as `hedge()` takes them; durations in ms. */
export interface HedgeSettings {
  readonly name: string
  readonly delay?: number
  readonly percentile?: number
  readonly minSamples: number
  readonly minDelay: number
  readonly maxHedges: number
  readonly minRemaining: number
}

const elsewhere = { name: "a definition's name is its key" }

export const loadShedderSchema: z.ZodType<Omit<LoadShedderSettings, 'name'>> = section(
  {
    maxLoad: ratio({ aboveZero: true }).prefault(0.8).describe('Load from which all but critical requests are shed.'),
    shedFrom: ratio({ aboveZero: true })
      .exactOptional()
      .describe('Load from which the least important are shed. 0.75 of maxLoad when left out.'),
    capacity: integer({ min: 1 })
      .exactOptional()
      .describe("Requests in flight that are a load of 1. When left out, load is how busy the gateway's event loop is."),
    retryAfter: duration().prefault('1s').describe('What refused clients are told on average.'),
    dark: boolean().prefault(false).describe('Sheds nothing, and reports what it would have shed.'),
  },
  { aliases: { maxConcurrent: 'capacity' }, elsewhere },
).meta({ id: 'loadShedder' })

export const adaptiveConcurrencySchema: z.ZodType<Omit<AdaptiveConcurrencySettings, 'name'>> = section(
  {
    minLimit: integer({ min: 1 }).prefault(1).describe('The limit is never lower.'),
    maxLimit: integer({ min: 1 }).prefault(1_000).describe('The limit is never higher.'),
    maxQueued: integer().prefault(0).describe('Requests that may wait for a place.'),
    maxWait: duration().exactOptional().describe("Longest wait in the queue. No limit but the request's deadline when left out."),
    algorithm: z
      .enum(['probing', 'aimd'], { error: "must be 'probing' or 'aimd'" })
      .prefault('probing')
      .describe('probing looks at throughput and latency; aimd at 429, 503, 529 and timeouts only: for language models.'),
    shared: boolean().prefault(false).describe('Other clients with limits of their own call the same upstream.'),
  },
  { aliases: { minConcurrency: 'minLimit', maxConcurrency: 'maxLimit', queueSize: 'maxQueued' }, elsewhere },
).meta({ id: 'adaptiveLimit' })

export const throttlerSchema: z.ZodType<Omit<ThrottlerSettings, 'name'>> = section(
  {
    maxConcurrent: integer({ min: 1 }).exactOptional().describe('Requests that may run at the same time. No limit when left out.'),
    perSecond: number({ min: 1e-6, max: 1e9 })
      .exactOptional()
      .describe('Requests that may start per second, evenly spread. No limit when left out.'),
    maxQueued: integer().prefault(100).describe('Requests that may wait for their start.'),
    maxWait: duration().exactOptional().describe('Longest wait. Requests that would surely wait longer are refused at once.'),
  },
  { aliases: { rate: 'perSecond', queueSize: 'maxQueued' }, elsewhere },
).meta({ id: 'throttler' })

export const hedgeSchema: z.ZodType<Omit<HedgeSettings, 'name'>> = section(
  {
    delay: duration().exactOptional().describe('How long an attempt may take before another one is started beside it.'),
    percentile: z
      .number({ error: 'must be a share from 0.5 to 0.999' })
      .min(0.5, { error: 'must be a share from 0.5 to 0.999' })
      .max(0.999, { error: 'must be a share from 0.5 to 0.999' })
      .exactOptional()
      .describe('The delay is this percentile of the latest durations, 0.5 to 0.999. Either this or delay.'),
    minSamples: integer({ min: 1, max: 500 }).prefault(20).describe('Durations that must be known before a percentile is gone by.'),
    minDelay: duration().prefault('1ms').describe('No delay by percentile is shorter.'),
    maxHedges: integer({ min: 1, max: 10 }).prefault(1).describe('Attempts beside the first.'),
    minRemaining: duration().prefault('10ms').describe("A hedge is started only if the request's deadline leaves this much time for it."),
  },
  { aliases: { after: 'delay', quantile: 'percentile' }, elsewhere },
).meta({ id: 'hedge' })
