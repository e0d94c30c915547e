import * as z from 'zod'
import { choice, duration, integer, number, ratio } from './scalars.ts'
import { section } from './section.ts'

/** The settings of a circuit breaker as `circuitBreaker()` takes them; durations in ms. */
export interface CircuitBreakerSettings {
  readonly name: string
  readonly failureThreshold?: number
  readonly failureWindow: number
  readonly consecutiveFailures?: number
  readonly failureRatio?: number
  readonly slowCallRatio?: number
  readonly slowCallDuration?: number
  readonly minimumCalls?: number
  readonly windowCalls?: number
  readonly openFor: number
  readonly openForFactor: number
  readonly maxOpenFor?: number
  readonly openForJitter: number
  readonly successThreshold: number
  readonly halfOpenProbes?: number
  readonly halfOpenFailureRatio?: number
  readonly probeTimeout?: number
  readonly mode: 'enforce' | 'metrics-only' | 'disabled'
}

const inUnits = "write openFor with its unit, such as '30s'"

const settings = section(
  {
    failureThreshold: integer({ min: 1, max: 100_000 })
      .exactOptional()
      .describe('Opens the circuit at this many failures within failureWindow. 5 when no other rule is given.'),
    failureWindow: duration({ min: '1ms' }).prefault('60s').describe('How far back failures and ratios look.'),
    consecutiveFailures: integer({ min: 1 }).exactOptional().describe('Opens at this many failures in a row, however long they take.'),
    failureRatio: ratio({ aboveZero: true })
      .exactOptional()
      .describe('Opens when this share of the calls fails, once there were minimumCalls. Recommended for busy upstreams.'),
    slowCallRatio: ratio({ aboveZero: true })
      .exactOptional()
      .describe('Opens when this share of the calls is slow. Needs slowCallDuration.'),
    slowCallDuration: duration({ min: '1ms' }).exactOptional().describe('From which duration a call is slow.'),
    minimumCalls: integer({ min: 1 })
      .exactOptional()
      .describe('Calls below which no ratio opens the circuit. 20, or windowCalls if that is less.'),
    windowCalls: integer({ min: 1, max: 1_000_000 })
      .exactOptional()
      .describe('Ratios look at this many last calls instead of at failureWindow.'),
    openFor: duration({ min: '1ms' }).prefault('60s').describe('Time from the opening until the first probe is let through.'),
    openForFactor: number({ min: 1, max: 1_000 }).prefault(1).describe('Growth of openFor with every opening that follows a failed probe.'),
    maxOpenFor: duration({ min: '1ms' })
      .exactOptional()
      .describe('Longest open time, jitter included. 1h, or openFor if that is longer, when left out.'),
    openForJitter: ratio()
      .prefault(0)
      .describe('Share by which the open time is varied, so that many gateways do not probe together: 0.1 is ± 10 %.'),
    successThreshold: integer({ min: 1 }).prefault(2).describe('Successful probes that close the circuit; any failed probe reopens it.'),
    halfOpenProbes: integer({ min: 1 })
      .exactOptional()
      .describe('Probes at the same time. successThreshold, or 10 with halfOpenFailureRatio, when left out.'),
    halfOpenFailureRatio: ratio({ aboveZero: true })
      .exactOptional()
      .describe('Decides by the share of failed probes instead: this share or more reopens.'),
    probeTimeout: duration({ min: '1ms' })
      .exactOptional()
      .describe(
        'A probe that has not ended by then has failed. The deadline of its request, or else the longer of openFor and 30s, when left out.',
      ),
    mode: choice(['enforce', 'metrics-only', 'disabled'])
      .prefault('enforce')
      .describe('metrics-only says when the circuit would have opened and refuses nothing; disabled does neither.'),
  },
  {
    aliases: {
      timeout: 'openFor',
      recoveryTimeout: 'openFor',
      resetTimeout: 'openFor',
      halfOpenMaxCalls: 'halfOpenProbes',
      halfOpenRequests: 'halfOpenProbes',
      failureRateThreshold: 'failureRatio',
      slowCallRateThreshold: 'slowCallRatio',
    },
    elsewhere: { timeoutSeconds: inUnits, recoveryTimeoutSeconds: inUnits, name: "a definition's name is its key" },
  },
)

/** A circuit breaker's settings without its name. */
export const circuitBreakerSchema: z.ZodType<Omit<CircuitBreakerSettings, 'name'>> = settings
  .transform((rules) => {
    const { failureThreshold, consecutiveFailures, failureRatio, slowCallRatio } = rules
    const hasRule =
      failureThreshold !== undefined || consecutiveFailures !== undefined || failureRatio !== undefined || slowCallRatio !== undefined
    return hasRule ? rules : { failureThreshold: 5, ...rules }
  })
  .meta({ id: 'circuitBreaker' })
