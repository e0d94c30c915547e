import type { FaultTolerantSystem, HealthReport } from 'holdfast/system'
import type { History } from '../../history/index.ts'
import type { ConfigView, ForcedView, ServerView, SettingView, SilenceView } from '../../wire.ts'

/** What the views are made of. */
export interface ViewSource {
  readonly system: FaultTolerantSystem
  readonly history: History
  /** What is known of the health now, with what people have told the server. */
  readonly health: () => HealthReport
  readonly version: string
  readonly lifecycle: () => Pick<ServerView, 'phase' | 'startedAt'>
  readonly gatewayUrl: () => string
  /** Requests under way in the whole gateway. */
  readonly inFlight: () => number
  /** Base URL of a dependency. */
  readonly urlOf: (dependency: string) => string
  /** The state that somebody set a policy to. */
  readonly forced: (policy: string) => ForcedView | null
  readonly silence: (dependency: string) => SilenceView | null
  /** What may be done with a policy of a kind. */
  readonly actionsOf: (kind: string) => readonly string[]
  readonly config: () => ConfigView
  readonly settingsOf: (policy: string) => readonly SettingView[]
  /** Only of a server that runs the demonstration. */
  readonly demo?: (() => unknown) | undefined
}
