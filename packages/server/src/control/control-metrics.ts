import type { MetricsRegistry } from 'holdfast'
import type { FailedLogins } from './failed-logins.ts'
import type { ForcedStates } from './forced-states.ts'
import type { Sessions } from './sessions.ts'
import type { Silences } from './silences.ts'

export interface ControlFigures {
  readonly forced: ForcedStates
  readonly silences: Silences
  readonly sessions: Sessions
  readonly failedLogins: FailedLogins
}

/** What people did, as metrics. */
export function exposeControl(registry: MetricsRegistry, { forced, silences, sessions, failedLogins }: ControlFigures): void {
  registry.observeGauge(
    {
      name: 'holdfast_forced_state',
      help: '1 for a policy that somebody has set to a state by hand.',
      labelNames: ['policy', 'action'],
    },
    (report) => {
      for (const [policy, { action }] of forced.entries()) report(1, { policy, action })
    },
  )
  registry.observeGauge(
    { name: 'holdfast_dependency_silenced', help: '1 for a dependency that is silenced.', labelNames: ['dependency'] },
    (report) => {
      for (const [dependency] of silences.entries()) report(1, { dependency })
    },
  )
  registry.observeGauge({ name: 'holdfast_control_sessions', help: 'Sessions of the page that last.' }, (report) => report(sessions.count))
  registry.observeCounter({ name: 'holdfast_control_failed_logins_total', help: 'Wrong tokens that were shown.' }, (report) =>
    report(failedLogins.total),
  )
}
