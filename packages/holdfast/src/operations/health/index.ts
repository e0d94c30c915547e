export type { HealthCheckOptions, HealthCheckState } from './health-check.ts'
export {
  healthMonitor,
  healthWords,
  type ComponentHealth,
  type HealthMonitor,
  type HealthMonitorOptions,
  type HealthReport,
} from './health-monitor.ts'
