import type { DependencyView } from '@holdfast/server/wire'

/** Below this share of calls that were answered well, something is wrong although no circuit has opened. */
const failingBelow = 0.9
const strainedBelow = 0.99

/** How much a dependency needs attention, 0 (none) to 6; trouble begins at 3. What somebody silenced stands below all trouble. */
export function severityOf(dependency: DependencyView): number {
  const severity = unsilenced(dependency)
  return dependency.silence === null ? severity : Math.min(severity, 1)
}

function unsilenced({ state, health, recent, forced }: DependencyView): number {
  // what a person did is known to somebody, and ends by itself: it stands below what happens by itself
  if (forced !== null) return forced.action === 'disable' ? 1 : 2.5
  if (state === 'open' || state === 'isolated') return 6
  if (state === 'half-open') return 5
  if (isFailing(recent.successRatio, recent.callsPerSecond) || health.status === 'fail') return 4
  if (state === 'paused') return 3
  if (health.status === 'warn' || (recent.successRatio !== null && recent.successRatio < strainedBelow)) return 2
  return state === 'disabled' ? 1 : 0
}

function isFailing(successRatio: number | null, callsPerSecond: number): boolean {
  return successRatio !== null && callsPerSecond > 0 && successRatio < failingBelow
}

/** Whether it belongs into the sentence that says what is wrong. */
export function isInTrouble(dependency: DependencyView): boolean {
  return severityOf(dependency) >= 3
}

/**
 * Worst first; among equals the one that has been in trouble for longest, for it may be the cause of the others; then by name.
 * @param sinceOf When its trouble began, epoch ms.
 */
export function worstFirst(
  dependencies: readonly DependencyView[],
  sinceOf: (dependency: DependencyView) => number,
): readonly DependencyView[] {
  const ranked = dependencies.map((dependency) => ({ dependency, severity: severityOf(dependency) }))
  ranked.sort(
    (a, b) =>
      b.severity - a.severity ||
      (a.severity >= 3 ? sinceOf(a.dependency) - sinceOf(b.dependency) : 0) ||
      compareNames(a.dependency.name, b.dependency.name),
  )
  return ranked.map(({ dependency }) => dependency)
}

const collator = new Intl.Collator('en', { numeric: true })

export function compareNames(a: string, b: string): number {
  return collator.compare(a, b)
}

/** Names in the order that is shown: while it is held, only what has come or gone changes it. */
export function shownOrder(shown: readonly string[], wanted: readonly string[], isHeld: boolean): readonly string[] {
  if (!isHeld) return sameOrder(shown, wanted) ? shown : wanted
  const present = new Set(wanted)
  const known = new Set(shown)
  const next = [...shown.filter((name) => present.has(name)), ...wanted.filter((name) => !known.has(name))]
  return sameOrder(shown, next) ? shown : next
}

function sameOrder(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, index) => name === b[index])
}
