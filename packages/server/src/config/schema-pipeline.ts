import { parseDuration } from 'holdfast'
import * as z from 'zod'
import { suggestDuration } from './duration-text.ts'
import { choice, parsedScalar } from './scalars.ts'
import { circuitBreakerSchema, type CircuitBreakerSettings } from './schema-circuit-breaker.ts'
import { fallbackSchema, type FallbackSource } from './schema-fallback.ts'
import { bulkheadSchema, rateLimiterSchema, timeoutSchema, type BulkheadSettings, type RateLimiterSettings } from './schema-gates.ts'
import {
  adaptiveConcurrencySchema,
  hedgeSchema,
  loadShedderSchema,
  throttlerSchema,
  type AdaptiveConcurrencySettings,
  type HedgeSettings,
  type LoadShedderSettings,
  type ThrottlerSettings,
} from './schema-load.ts'
import { retrySchema, type RetrySettings } from './schema-retry.ts'
import { section } from './section.ts'

/** The section in which the definitions of each pipeline step stand. */
export const sectionOfStep = {
  fallback: 'fallbacks',
  loadShedder: 'loadShedders',
  totalTimeout: 'timeouts',
  retry: 'retryPolicies',
  hedge: 'hedges',
  circuitBreaker: 'circuitBreakers',
  rateLimiter: 'rateLimiters',
  throttler: 'throttlers',
  adaptiveConcurrency: 'adaptiveLimits',
  bulkhead: 'bulkheads',
  attemptTimeout: 'timeouts',
} as const

export type PipelineStep = keyof typeof sectionOfStep

/** The steps in their default order, outermost first. */
export const pipelineSteps: readonly PipelineStep[] = Object.keys(sectionOfStep) as PipelineStep[]

type Unnamed<T> = Omit<T, 'name'>

/** A pipeline as written: each step is a definition's name, or settings of its own. */
export interface PipelineSource {
  readonly order?: readonly PipelineStep[]
  readonly fallback?: string | FallbackSource
  readonly loadShedder?: string | Unnamed<LoadShedderSettings>
  readonly totalTimeout?: string | number
  readonly retry?: string | Unnamed<RetrySettings>
  readonly hedge?: string | Unnamed<HedgeSettings>
  readonly circuitBreaker?: string | Unnamed<CircuitBreakerSettings>
  readonly rateLimiter?: string | Unnamed<RateLimiterSettings>
  readonly throttler?: string | Unnamed<ThrottlerSettings>
  readonly adaptiveConcurrency?: string | Unnamed<AdaptiveConcurrencySettings>
  readonly bulkhead?: string | Unnamed<BulkheadSettings>
  readonly attemptTimeout?: string | number
}

/** A definition's name, or the settings themselves. */
export function nameOr<T>(what: string, settings: z.ZodType<T>): z.ZodType<string | T> {
  const error = `must be the name of a ${what}, or a map of its settings`
  return z.union([z.string({ error }).min(1, { error }), settings], { error })
}

const timeoutName = parsedScalar<string | number>({
  expected: "a duration with its unit, such as '2s', or the name of a timeout",
  // names begin with a letter, so that a misspelt duration is not taken for one
  parse: (value) => {
    if (typeof value !== 'string' || value === '') return undefined
    const ms = parseDuration(value)
    if (ms !== undefined) return ms > 0 ? ms : undefined
    return /^[A-Za-z]/.test(value) ? value : undefined
  },
  suggest: (value) => (typeof value === 'string' && parseDuration(value) !== undefined ? undefined : suggestDuration(value)),
  json: { type: 'string' },
})

function timeoutOrName(): z.ZodType<string | number> {
  return z.union([timeoutName, timeoutSchema], { error: "must be a duration with its unit, such as '2s', or the name of a timeout" })
}

const whichTimeout = "use 'totalTimeout' for all attempts together, 'attemptTimeout' for each one"

export const pipelineSchema: z.ZodType<PipelineSource> = section(
  {
    order: z
      .array(choice(pipelineSteps), { error: 'must be a list of steps' })
      .exactOptional()
      .describe(`Order of the steps, outermost first: ${pipelineSteps.join(', ')} when left out.`),
    fallback: nameOr('fallback', fallbackSchema)
      .exactOptional()
      .describe('The answer when there is none: a name from fallbacks, or its settings.'),
    loadShedder: nameOr('load shedder', loadShedderSchema)
      .exactOptional()
      .describe('A name from loadShedders, or its settings: under load, the least important requests are turned away first.'),
    totalTimeout: timeoutOrName().exactOptional().describe('Time for all attempts and the delays between them, until the answer begins.'),
    retry: nameOr('retry policy', retrySchema).exactOptional().describe('A name from retryPolicies, or its settings.'),
    hedge: nameOr('hedge', hedgeSchema)
      .exactOptional()
      .describe('A name from hedges, or its settings: a second request beside one that is late, where it may be repeated.'),
    circuitBreaker: nameOr('circuit breaker', circuitBreakerSchema)
      .exactOptional()
      .describe('A name from circuitBreakers, or its settings.'),
    rateLimiter: nameOr('rate limiter', rateLimiterSchema).exactOptional().describe('A name from rateLimiters, or its settings.'),
    throttler: nameOr('throttler', throttlerSchema)
      .exactOptional()
      .describe('A name from throttlers, or its settings: requests start one after the other.'),
    adaptiveConcurrency: nameOr('adaptive limit', adaptiveConcurrencySchema)
      .exactOptional()
      .describe('A name from adaptiveLimits, or its settings: the limit of concurrent requests follows what the upstream can bear.'),
    bulkhead: nameOr('bulkhead', bulkheadSchema).exactOptional().describe('A name from bulkheads, or its settings.'),
    attemptTimeout: timeoutOrName().exactOptional().describe('Time for each attempt, until the answer begins (its headers).'),
  },
  {
    aliases: {
      breaker: 'circuitBreaker',
      retryPolicy: 'retry',
      limiter: 'rateLimiter',
      adaptiveLimit: 'adaptiveConcurrency',
      hedging: 'hedge',
    },
    elsewhere: { timeout: whichTimeout },
  },
).check(({ value, issues }) => {
  const { order } = value
  if (order === undefined) return
  for (const [index, step] of order.entries()) {
    if (order.indexOf(step) < index)
      issues.push({ code: 'custom', message: `must not name ${step} twice`, input: value, path: ['order', index] })
  }
  const left = pipelineSteps.filter((step) => value[step] !== undefined && !order.includes(step))
  if (left.length > 0)
    issues.push({
      code: 'custom',
      message: `must say where ${left.join(', ')} ${left.length > 1 ? 'stand' : 'stands'}`,
      input: value,
      path: ['order'],
    })
})
