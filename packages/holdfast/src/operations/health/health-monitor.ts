import { systemClock, type Clock } from '../../core/clock.ts'
import { HoldfastError } from '../../core/errors.ts'
import { checkOptionNames } from '../../core/options.ts'
import type { HealthRecord } from '../../core/policy.ts'
import { recordOfError } from './check-result.ts'
import { HealthCheck, type HealthCheckOptions, type HealthCheckState } from './health-check.ts'

export interface HealthMonitorOptions {
  readonly clock?: Clock
}

/** The words people use for a status. */
export const healthWords = { pass: 'healthy', warn: 'degraded', fail: 'unhealthy', unknown: 'unknown' } as const

export interface ComponentHealth extends HealthRecord {
  readonly kind: string
}

export interface HealthReport {
  readonly status: HealthRecord['status']
  /** The status in words: healthy, degraded, unhealthy, unknown. */
  readonly summary: (typeof healthWords)[keyof typeof healthWords]
  /** Whether requests should be sent here: every critical check passes, and nothing else is asked. */
  readonly ready: boolean
  /** Why the status is not `pass`, worst first. */
  readonly reasons: readonly string[]
  readonly components: Readonly<Record<string, ComponentHealth>>
  readonly checks: Readonly<Record<string, HealthCheckState>>
  /** Epoch ms. */
  readonly at: number
}

/** Knows how all parts are: components that say so themselves, and dependencies that are checked. */
export interface HealthMonitor {
  /** A part that knows how it is. Returns the function that takes it out again. */
  registerComponent(name: string, kind: string, read: () => HealthRecord): () => void
  /** A dependency that has to be asked. */
  registerCheck(name: string, options: HealthCheckOptions): () => void
  /** What is known now; asks nobody. */
  current(): HealthReport
  /** Asks the checks whose answers are too old, then reports. Takes at most the longest timeout. */
  report(): Promise<HealthReport>
}

/**
 * Collects health. A component never makes the whole unhealthy: an open circuit breaker degrades. Only a critical check that
 * fails does, and only it decides readiness.
 */
export function healthMonitor(options: HealthMonitorOptions = {}): HealthMonitor {
  checkOptionNames('healthMonitor', options, ['clock'])
  return new Monitor(options.clock ?? systemClock)
}

const rank = { pass: 0, unknown: 1, warn: 2, fail: 3 } as const

class Monitor implements HealthMonitor {
  private readonly clock: Clock
  private readonly components = new Map<string, { readonly kind: string; readonly read: () => HealthRecord }>()
  private readonly checks = new Map<string, HealthCheck>()

  constructor(clock: Clock) {
    this.clock = clock
  }

  registerComponent(name: string, kind: string, read: () => HealthRecord): () => void {
    this.refuseDouble(name)
    this.components.set(name, { kind, read })
    return () => this.components.delete(name)
  }

  registerCheck(name: string, options: HealthCheckOptions): () => void {
    this.refuseDouble(name)
    this.checks.set(name, new HealthCheck(`health check '${name}'`, options, this.clock))
    return () => this.checks.delete(name)
  }

  async report(): Promise<HealthReport> {
    await Promise.all([...this.checks.values()].map((check) => check.refresh()))
    return this.current()
  }

  current(): HealthReport {
    const components = Object.fromEntries([...this.components].map(([name, { kind, read }]) => [name, { kind, ...readSafely(read) }]))
    const checks = Object.fromEntries([...this.checks].map(([name, check]) => [name, check.state]))
    const troubles = [
      ...Object.values(components).map((component) => ({
        status: component.status === 'fail' ? ('warn' as const) : component.status,
        reason: component.reason,
      })),
      ...Object.entries(checks).map(([name, { status, critical, reason }]) => ({
        status: status === 'fail' && !critical ? ('warn' as const) : status,
        reason: reason === undefined ? undefined : `${name}: ${reason}`,
      })),
    ]
      .filter(({ status }) => status !== 'pass')
      .toSorted((a, b) => rank[b.status] - rank[a.status])
    const status = troubles[0]?.status ?? 'pass'
    return {
      status,
      summary: healthWords[status],
      ready: Object.values(checks).every((check) => !check.critical || check.status === 'pass' || check.status === 'warn'),
      reasons: troubles.flatMap(({ reason }) => (reason === undefined ? [] : [reason])),
      components,
      checks,
      at: this.clock.wallNow(),
    }
  }

  private refuseDouble(name: string): void {
    if (!this.components.has(name) && !this.checks.has(name)) return
    throw new HoldfastError({ code: 'ERR_DUPLICATE_NAME', message: `health: '${name}' is registered already` })
  }
}

function readSafely(read: () => HealthRecord): HealthRecord {
  try {
    return read()
  } catch (error) {
    return recordOfError(error)
  }
}
