import type { ConfigView, DependencyView, ServerView } from '@holdfast/server/wire'
import { countText, lastedText, rateText, ratioText } from '../words/figure-text.ts'
import { instantText, shortTimeText } from '../words/time-text.ts'
import { isInTrouble, severityOf } from './severity.ts'

/** A stretch of a sentence: plain words, or the name of a dependency. */
export type Part = string | { readonly dependency: string }

export interface Situation {
  readonly tone: 'calm' | 'trouble'
  readonly parts: readonly Part[]
  /** What else one should know. */
  readonly asides: readonly Part[]
}

/** What the history knows of the dependency that is told about. */
export interface KnownTrouble {
  readonly failingSince: number | null
  readonly errorRatio: number | null
  readonly refused: number
  readonly fallback: number
}

interface SituationInput {
  readonly dependencies: readonly DependencyView[]
  readonly server: ServerView | null
  readonly config: ConfigView | null
  readonly now: number
  /** Of the first in trouble, as `firstInTrouble` says; null while it is not known. */
  readonly known: KnownTrouble | null
  /** When the trouble of a dependency began, epoch ms. */
  readonly sinceOf: (dependency: DependencyView) => number
}

/** The one the sentence is about: of those in trouble the first to get there, for it may be the cause of the others. */
export function firstInTrouble(
  dependencies: readonly DependencyView[],
  sinceOf: (dependency: DependencyView) => number,
): DependencyView | null {
  return byTrouble(dependencies, sinceOf)[0] ?? null
}

/** Failing ones before those that only pause, then as they got there. */
function byTrouble(dependencies: readonly DependencyView[], sinceOf: (dependency: DependencyView) => number): readonly DependencyView[] {
  const isFailing = (dependency: DependencyView): number => Number(severityOf(dependency) >= 4)
  return dependencies.filter(isInTrouble).toSorted((a, b) => isFailing(b) - isFailing(a) || sinceOf(a) - sinceOf(b))
}

/** What is going on, out of the data, in a sentence or three. */
export function situationOf(input: SituationInput): Situation {
  const { dependencies, now, known, sinceOf } = input
  const [first, ...others] = byTrouble(dependencies, sinceOf)
  const asides = asidesOf(input)
  if (first === undefined) return { tone: 'calm', parts: [calmSentence(dependencies)], asides }
  const sentence = troubleSentence(first, sinceOf(first), known, now)
  if (others.length === 0) return { tone: 'trouble', parts: sentence, asides }
  const lead = `${countText(others.length + 1)} of ${countText(dependencies.length)} dependencies are in trouble. First, `
  return { tone: 'trouble', parts: [lead, ...sentence, ' ', ...followers(others, sinceOf)], asides }
}

const namedFollowers = 2

function followers(others: readonly DependencyView[], sinceOf: (dependency: DependencyView) => number): readonly Part[] {
  const named = others.slice(0, namedFollowers)
  const rest = others.length - named.length
  const parts = named.flatMap((each, index): readonly Part[] => [
    index === 0 ? 'Then ' : ', ',
    { dependency: each.name },
    ` (${each.state === 'closed' || each.state === 'passing' ? 'failing' : `${each.state}, since ${shortTimeText(sinceOf(each))}`})`,
  ])
  return [...parts, rest === 0 ? '.' : ` and ${countText(rest)} more.`]
}

function troubleSentence(dependency: DependencyView, since: number, known: KnownTrouble | null, now: number): readonly Part[] {
  const name = { dependency: dependency.name }
  const ago = `${lastedText(now - since)} ago`
  switch (dependency.state) {
    case 'open':
      return [
        name,
        ` is failing${errorWords(known, now)}; Holdfast opened its circuit ${ago}${answeredWords(known)}${nextProbe(dependency, now)}.`,
      ]
    case 'half-open':
      return [
        name,
        ` was failing${errorWords(known, now)}; its circuit opened ${ago}, and probes go through now to see whether it answers again${answeredWords(known)}.`,
      ]
    case 'isolated':
      return [name, ` was isolated ${ago}${answeredWords(known)}.`]
    case 'paused':
      return [name, ` asked for a pause (429) ${ago}; calls wait or are refused${pauseEnd(dependency, now)}.`]
    default:
      return [name, ` ${strainWords(dependency, known, now)}.`]
  }
}

const forcedTexts = { 'force-open': 'forced open', isolate: 'isolated', disable: 'switched off' } as const

function errorWords(known: KnownTrouble | null, now: number): string {
  if (known === null || known.errorRatio === null || known.failingSince === null) return ''
  const since = now - known.failingSince > 86_000_000 ? instantText(known.failingSince, now) : shortTimeText(known.failingSince)
  return ` (${wholePercent(known.errorRatio)} errors since ${since})`
}

function answeredWords(known: KnownTrouble | null): string {
  if (known === null) return ''
  const { fallback, refused } = known
  const told = [
    fallback > 0 ? `${countText(fallback)} answered by fallback` : '',
    refused > 0 ? `${countText(refused)} refused` : '',
  ].filter(Boolean)
  if (told.length === 0) return ''
  const total = fallback > 0 && refused > 0 ? '' : (fallback || refused) === 1 ? ' call was' : ' calls were'
  if (total === '') return `, ${countText(fallback)} calls were answered by fallback and ${countText(refused)} refused`
  return `, ${countText(fallback || refused)}${total} ${fallback > 0 ? 'answered by fallback' : 'refused'}`
}

function nextProbe({ nextAttemptAt }: DependencyView, now: number): string {
  if (nextAttemptAt === null) return ''
  return nextAttemptAt > now ? `, next probe in ${lastedText(nextAttemptAt - now)}` : ', the next call is a probe'
}

function pauseEnd({ pausedUntil }: DependencyView, now: number): string {
  return pausedUntil !== null && pausedUntil > now ? ` for another ${lastedText(pausedUntil - now)}` : ''
}

function strainWords({ recent, health, state }: DependencyView, known: KnownTrouble | null, now: number): string {
  const circuit = state === 'passing' ? 'no circuit stands before it' : `its circuit is still ${state}`
  if (recent.successRatio !== null && recent.successRatio < 0.9)
    return `failed ${wholePercent(1 - recent.successRatio)} of its calls in the last minute${errorWords(known, now)}; ${circuit}`
  return health.reason === null ? `is not healthy; ${circuit}` : `is not healthy: ${health.reason}`
}

function wholePercent(ratio: number): string {
  const percent = ratio * 100
  return percent > 0 && percent < 1 ? 'under 1 %' : `${Math.floor(percent)} %`
}

function calmSentence(dependencies: readonly DependencyView[]): string {
  const rate = dependencies.reduce((sum, { recent }) => sum + recent.callsPerSecond, 0)
  const all = dependencies.length === 1 ? 'The one dependency takes calls' : `All ${countText(dependencies.length)} dependencies take calls`
  if (rate === 0) return `${all}; none came in the last minute.`
  const answered = dependencies.reduce((sum, { recent }) => sum + recent.callsPerSecond * (recent.successRatio ?? 1), 0)
  return `${all}: ${rateText(rate)} calls/s in the last minute, ${ratioText(answered / rate)} of them answered well.`
}

/** What else one should know, whatever the dependencies do: what people have done, and what became of the configuration. */
function asidesOf({ dependencies, server, config, now }: SituationInput): readonly Part[] {
  const parts: Part[] = []
  const byHand = dependencies.filter(({ forced }) => forced !== null)
  tell(parts, 'By hand', byHand, ({ forced }) =>
    forced === null ? '' : ` ${forcedTexts[forced.action]} by ${forced.by}${left(forced.expiresAt, now)}`,
  )
  const silenced = dependencies.filter(({ silence }) => silence !== null)
  tell(parts, 'Silenced', silenced, ({ silence }) => (silence === null ? '' : ` by ${silence.by}${left(silence.expiresAt, now)}`))
  if (config !== null && !config.lastReload.ok) {
    const { length } = config.lastReload.problems
    parts.push(
      `The configuration on disk was refused (${countText(length)} ${length === 1 ? 'problem' : 'problems'}); the earlier one goes on. `,
    )
  }
  if (server?.phase === 'draining') parts.push(`The server is stopping: ${countText(server.inFlight)} requests are still under way. `)
  return parts
}

const namedAside = 3

function tell(parts: Part[], title: string, those: readonly DependencyView[], words: (dependency: DependencyView) => string): void {
  const named = those.slice(0, namedAside)
  named.forEach((each, index) => parts.push(index === 0 ? `${title}: ` : ', ', { dependency: each.name }, words(each)))
  const rest = those.length - named.length
  if (named.length > 0) parts.push(rest === 0 ? '. ' : ` and ${countText(rest)} more. `)
}

function left(expiresAt: number | null, now: number): string {
  return expiresAt === null ? '' : ` (${lastedText(expiresAt - now)} left)`
}
