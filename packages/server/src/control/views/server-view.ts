import type { HealthReport } from 'holdfast/system'
import type { ServerView } from '../../wire.ts'
import { steadyReason } from './steady-reason.ts'
import type { ViewSource } from './view-source.ts'

const maxReasons = 20

export function serverView(source: ViewSource, { status, summary, ready, reasons }: HealthReport): ServerView {
  const { phase, startedAt } = source.lifecycle()
  const told = reasons.slice(0, maxReasons).flatMap((reason) => steadyReason(reason) ?? [])
  const more = reasons.length - told.length
  return {
    version: source.version,
    startedAt,
    phase,
    gatewayUrl: source.gatewayUrl(),
    health: { status, summary, ready: ready && phase === 'serving', reasons: more > 0 ? [...told, `and ${more} more`] : told },
    inFlight: source.inFlight(),
  }
}
