import type { DependencyView, PolicyView } from '@holdfast/server/wire'

type Reach = Pick<DependencyView, 'name' | 'recent' | 'policies'>

const effects: Readonly<Record<string, (target: string) => string>> = {
  'force-open': (target) => `All ${target} will be refused`,
  isolate: (target) => `All ${target} will be refused, and no probe is let through`,
  disable: (target) => `${capital(target)} will pass without this circuit breaker, however many fail`,
  close: (target) => `${capital(target)} will pass at once, whether the dependency has recovered or not`,
  reset: (target) => `The figures of this circuit breaker are cleared and it closes: ${target} pass at once`,
}

/**
 * What an action on a policy does, and to how much traffic, in a sentence for the one who is about to do it:
 * "All calls to llm will be refused; 12 calls/s now."
 */
export function blastRadius(action: string, policy: Pick<PolicyView, 'name'>, dependencies: readonly Reach[]): string {
  const target = dependencies.length === 0 ? `calls through ${policy.name}` : `calls to ${list(dependencies.map(({ name }) => name))}`
  const effect = Object.hasOwn(effects, action) ? effects[action]?.(target) : `This changes ${target}`
  return `${effect}${instead(action, dependencies)}${traffic(dependencies)}.`
}

/** Whether the action stops calls. */
function refusesCalls(action: string): boolean {
  return action === 'force-open' || action === 'isolate'
}

function traffic(dependencies: readonly Reach[]): string {
  if (dependencies.length === 0) return ''
  const perSecond = dependencies.reduce((sum, { recent }) => sum + recent.callsPerSecond, 0)
  return `; ${rateText(perSecond)} now`
}

function instead(action: string, dependencies: readonly Reach[]): string {
  const covered = dependencies.filter(({ policies }) => policies.some((id) => id.startsWith('fallback/')))
  if (!refusesCalls(action) || covered.length === 0) return ''
  return covered.length === dependencies.length
    ? ' and answered by the fallback'
    : ` and answered by a fallback where there is one (${list(covered.map(({ name }) => name))})`
}

/** 12.3 → `12 calls/s`, 0.4 → `0.4 calls/s`, 0 → `no calls`. */
function rateText(perSecond: number): string {
  if (perSecond === 0) return 'no calls'
  return `${perSecond < 10 ? Number(perSecond.toFixed(1)) : Math.round(perSecond)} calls/s`
}

function list(names: readonly string[]): string {
  if (names.length > 3) return `${names.slice(0, 2).join(', ')} and ${names.length - 2} more dependencies`
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}

function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1)
}
