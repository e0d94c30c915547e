import type { LogSink, MetricsRegistry } from 'holdfast'
import type { FaultTolerantSystem } from 'holdfast/system'
import type { History } from '../history/index.ts'
import type { ConfigView } from '../wire.ts'
import type { ConfigReloader, LastReload } from './config-reloader.ts'

export interface ReloadReportOptions {
  readonly system: FaultTolerantSystem
  readonly history: History
  readonly registry: MetricsRegistry
  readonly log: LogSink
}

/** Problems, and settings, that one reload writes to the log. */
const maxLogged = 50

/** Tells of reloads wherever people look: health, metrics, events, the time axis, the log. */
export class ReloadReport {
  private readonly options: ReloadReportOptions

  constructor(options: ReloadReportOptions) {
    this.options = options
  }

  /** Shows a reloader in health and metrics. */
  show(reloader: ConfigReloader): void {
    const { system, registry } = this.options
    system.registerHealthCheck('configuration', {
      ttl: 0,
      check: () => {
        const { ok, problems } = reloader.view.lastReload
        if (ok) return { status: 'pass' }
        const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
        return { status: 'warn', reason: `the files on disk were refused (${count}); the earlier configuration goes on` }
      },
    })
    registry.observeGauge(
      {
        name: 'holdfast_config_last_reload_successful',
        help: '1 when the last reload of the configuration succeeded, 0 when it was refused.',
      },
      (report) => report(reloader.success.isLast ? 1 : 0),
    )
    registry.observeGauge(
      {
        name: 'holdfast_config_last_reload_success_timestamp_seconds',
        help: 'When a configuration was last loaded successfully, in seconds since the epoch.',
      },
      (report) => report(reloader.success.lastAt / 1_000),
    )
    registry.observeGauge(
      { name: 'holdfast_config_generation', help: 'Configurations this server has run with, counted from 1.' },
      (report) => report(reloader.view.generation),
    )
  }

  tell(reload: LastReload, { generation }: ConfigView): void {
    const { history, log, system } = this.options
    const { at, trigger, ok, problems, changes, needsRestart } = reload
    if (ok) {
      history.addMarker('reload', `configuration ${generation}: ${countOf(changes.length, 'change')}`)
      history.addEvent(event('config.reloaded', at, { trigger, generation, changes: changes.length, needsRestart }))
      log.info({ trigger, generation, changes: changes.length }, 'the configuration was loaded anew')
      for (const { path } of changes.slice(0, maxLogged)) log.info({ setting: path }, 'a setting has changed')
      for (const setting of needsRestart) log.warn({ setting }, 'a changed setting needs a restart')
    } else {
      const lines = problems.map(
        ({ file, line, column, path, message }) => `${file}:${line}:${column} ${path === '' ? '' : `${path}: `}${message}`,
      )
      history.addMarker('reload-failed', `configuration refused: ${countOf(problems.length, 'problem')}`)
      history.addEvent(event('config.reload-failed', at, { trigger, problems: problems.length, first: lines[0] ?? '' }))
      log.error({ trigger, problems: problems.length }, 'the configuration was refused: the earlier one goes on')
      for (const problem of lines.slice(0, maxLogged)) log.error({ problem }, 'a problem of the refused configuration')
    }
    void system.checkHealth()
  }
}

function event(type: string, at: number, data: object): { readonly type: string; readonly policy: string; readonly at: number } {
  return { type, policy: 'configuration', at, ...data }
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
