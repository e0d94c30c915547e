export {
  faultTolerantSystem,
  type AnyPolicy,
  type FaultTolerantSystem,
  type FaultTolerantSystemOptions,
  type SystemEvent,
  type SystemStatistics,
} from './fault-tolerant-system.ts'
export { exposeMetrics, type ExposeMetricsOptions, type MetricNames } from './system-metrics.ts'
export { Meter, type MeteredOutcome, type Observe } from './meter.ts'
export { protectionOrder, type Protection, type ProtectionName } from './protection.ts'
export type { ComponentHealth, HealthCheckOptions, HealthCheckState, HealthReport } from '../operations/health/index.ts'
