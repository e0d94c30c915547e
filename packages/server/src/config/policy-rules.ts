import {
  adaptiveConcurrency,
  bulkhead,
  circuitBreaker,
  hedge,
  isHoldfastError,
  loadShedder,
  rateLimiter,
  retry,
  retryBudget,
  throttler,
} from 'holdfast'
import type { ByName, ReliabilityConfig } from './config.ts'
import type { Report } from './report.ts'
import type { RateLimiterSettings } from './schema-gates.ts'
import { sectionOfStep, type PipelineStep } from './schema-pipeline.ts'
import type { RetrySettings } from './schema-retry.ts'

/**
 * Lets the library check what it alone knows: which settings of a policy exclude or need each other. What passes can be handed to the
 * library as it is.
 */
export function checkPolicies(config: ReliabilityConfig, report: Report): void {
  checkStep('circuitBreaker', config.circuitBreakers, (settings) => circuitBreaker(settings))
  checkStep('retry', config.retryPolicies, buildRetry)
  checkStep('bulkhead', config.bulkheads, (settings) => bulkhead(settings))
  checkStep('rateLimiter', config.rateLimiters, buildRateLimiter)
  checkStep('loadShedder', config.loadShedders, (settings) => loadShedder(settings))
  checkStep('hedge', config.hedges, (settings) => hedge(settings))
  checkStep('throttler', config.throttlers, (settings) => throttler(settings))
  checkStep('adaptiveConcurrency', config.adaptiveLimits, (settings) => adaptiveConcurrency(settings))
  checkQuotaNames(config, report)

  function checkStep<T>(step: PipelineStep, definitions: ByName<T>, build: (settings: T) => unknown): void {
    const shared = new Set<unknown>(Object.values(definitions))
    for (const [name, settings] of Object.entries(definitions)) check([sectionOfStep[step], name], () => build(settings))
    for (const { name, pipeline } of Object.values(config.upstreams)) {
      const own = pipeline[step]
      if (own !== undefined && !shared.has(own)) check(['upstreams', name, 'pipeline', step], () => build(own as T))
    }
  }

  function check(path: readonly string[], build: () => unknown): void {
    const fault = faultOf(build)
    if (fault !== undefined) report('problem', fault.option === undefined ? path : [...path, fault.option], fault.message)
  }
}

/** What pauses an upstream's callers is a rate limiter as well, and has its name from the upstream. */
function checkQuotaNames({ rateLimiters, upstreams }: ReliabilityConfig, report: Report): void {
  for (const { name, quota } of Object.values(upstreams)) {
    const taken = `${name}-quota`
    if (quota.scope === 'none') continue
    const message = `is a name that the quota of upstream '${name}' has: give it another one`
    if (rateLimiters[taken] !== undefined) report('problem', ['rateLimiters', taken], message)
    if (upstreams[taken]?.pipeline.rateLimiter?.name === taken) report('problem', ['upstreams', taken, 'pipeline', 'rateLimiter'], message)
  }
}

function buildRetry({ budget, ...options }: RetrySettings): unknown {
  return retry(budget === undefined ? options : { ...options, budget: retryBudget(budget) })
}

function buildRateLimiter({ key, ...options }: RateLimiterSettings): unknown {
  return rateLimiter({ ...options, keyOf: () => key })
}

/** What the library says against some settings; without its quotation of the value, which may be secret. */
function faultOf(build: () => unknown): { readonly option: string | undefined; readonly message: string } | undefined {
  try {
    build()
    return undefined
  } catch (error) {
    if (!isHoldfastError(error, 'ERR_INVALID_OPTION')) throw error
    const match = /option '(\w+)' (must be .*), got /s.exec(error.message)
    return match === null ? { option: undefined, message: error.message } : { option: match[1], message: match[2] ?? '' }
  }
}
