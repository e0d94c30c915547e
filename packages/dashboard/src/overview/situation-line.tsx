import type { DependencyView } from '@holdfast/server/wire'
import { useHistory } from '../detail/use-history.ts'
import { config, dependencies, now, server } from '../live/store.ts'
import { wall } from '../live/wall-feed.ts'
import { troubleSince } from '../live/wall-history.ts'
import { dependencyPath, Link } from '../router.tsx'
import { firstInTrouble, situationOf, type KnownTrouble, type Part } from './situation.ts'
import { answersSince, rangeFor, troubleFigures } from './trouble-figures.ts'

/** The sentence above the wall. */
export function SituationLine() {
  const all = Object.values(dependencies.value)
  const frame = wall.value
  const sinceOf = (dependency: DependencyView): number => troubleSince(frame, dependency)
  const first = firstInTrouble(all, sinceOf)
  const since = first === null ? now.value : sinceOf(first)
  const present = now.value
  const { history } = useHistory(first?.name ?? null, first === null ? '15m' : rangeFor(present - since))
  const known = first === null || history === null ? null : knownOf(history, since, present)
  const { tone, parts, asides } = situationOf({
    dependencies: all,
    server: server.value,
    config: config.value,
    now: present,
    known,
    sinceOf,
  })
  return (
    <>
      <p class="situation" data-tone={tone}>
        <Parts parts={parts} />
      </p>
      {asides.length > 0 && (
        <p class="asides">
          <Parts parts={asides} />
        </p>
      )}
    </>
  )
}

function Parts({ parts }: { readonly parts: readonly Part[] }) {
  return <>{parts.map((part) => (typeof part === 'string' ? part : <Link to={dependencyPath(part.dependency)}>{part.dependency}</Link>))}</>
}

function knownOf(history: Parameters<typeof troubleFigures>[0], since: number, at: number): KnownTrouble {
  const figures = troubleFigures(history, since, at)
  return { failingSince: figures?.failingSince ?? null, errorRatio: figures?.errorRatio ?? null, ...answersSince(history, since) }
}
