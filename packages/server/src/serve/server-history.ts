import { join } from 'node:path'
import type { LogSink } from 'holdfast'
import type { FaultTolerantSystem } from 'holdfast/system'
import type { ServerSettings } from '../config/index.ts'
import { History } from '../history/index.ts'
import { version } from '../package-files.ts'
import type { ServerMetrics } from './server-metrics.ts'

export interface ServerHistoryOptions {
  readonly system: FaultTolerantSystem
  readonly settings: ServerSettings
  readonly metrics: ServerMetrics
  readonly log: LogSink
  /** Whether somebody has set a policy's state by hand. */
  readonly isForced: (policy: string) => boolean
}

/** The history of a server, in `history.db` of its data directory: what goes wrong with it is logged, counted, and seen in `/health`. */
export function serverHistory({ system, settings, metrics, log, isForced }: ServerHistoryOptions): History {
  const history = new History({
    ...settings.history,
    system,
    path: join(settings.dataDir, 'history.db'),
    version,
    isForced,
    onProblem: (problem) => {
      if (problem === undefined) log.info({}, 'the history is stored again')
      else log.error({ problem }, 'the history cannot be stored: it goes on in memory')
      void system.checkHealth()
    },
    onSetAside: ({ path, movedTo, reason }) => log.error({ path, movedTo, reason }, 'a damaged history was set aside, and a new one begun'),
  })
  system.registerHealthCheck('history', {
    ttl: 0,
    check: () => (history.problem === undefined ? { status: 'pass' } : { status: 'warn', reason: `not stored: ${history.problem}` }),
  })
  const { registry } = metrics
  registry.observeGauge(
    { name: 'holdfast_history_stored', help: '1 while what happens is stored, 0 while it is only in memory.' },
    (report) => report(history.problem === undefined ? 1 : 0),
  )
  registry.observeCounter({ name: 'holdfast_history_write_failures_total', help: 'Writes of the history that failed.' }, (report) =>
    report(history.writeFailures),
  )
  registry.observeCounter({ name: 'holdfast_history_write_seconds_total', help: 'Time spent on writing the history.' }, (report) =>
    report(history.writingMs / 1_000),
  )
  return history
}
