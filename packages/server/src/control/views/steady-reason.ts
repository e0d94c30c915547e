/**
 * A reason without the seconds that it counts down: the instant stands beside it (`nextAttemptAt`, `pausedUntil`), and what says
 * something else every second would be sent every second.
 */
export function steadyReason(reason: string | undefined): string | null {
  return reason === undefined ? null : reason.replace(/(?:, next attempt in| for another) \d+ s$/, '')
}
