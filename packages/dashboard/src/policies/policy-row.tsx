import type { PolicyView } from '@holdfast/server/wire'
import { useComputed, type Signal } from '@preact/signals'
import { policyFigures } from '../detail/policy-figures.ts'
import { now, policies } from '../live/store.ts'
import { timeStyle } from '../preferences.ts'
import { Link, policyPath } from '../router.tsx'
import { StateBadge } from '../ui/state-badge.tsx'
import { lastedText, unknownText } from '../words/figure-text.ts'
import { kindText } from '../words/policy-name.ts'
import { instantText } from '../words/time-text.ts'

interface PolicyRowProps {
  readonly id: string
  readonly index: number
  /** Null for those who may not act. */
  readonly selected: Signal<ReadonlySet<string>> | null
}

const figuresShown = 3

export function PolicyRow({ id, index, selected }: PolicyRowProps) {
  const view = useComputed(() => policies.value[id])
  const policy = view.value
  if (policy === undefined) return null
  const { name, kind, state, since, forced, dependencies } = policy
  const isSelected = selected?.value.has(id) ?? false
  return (
    <tr data-row={id} aria-rowindex={index + 2} class={isSelected ? 'selected' : ''}>
      {selected !== null && (
        <td class="select">
          <input
            type="checkbox"
            aria-label={`Select ${kindText(kind)} ${name}`}
            checked={isSelected}
            onChange={(event) => (selected.value = toggled(selected.value, id, event.currentTarget.checked))}
          />
        </td>
      )}
      <th scope="row" class="name">
        <Link to={policyPath(id)}>{name}</Link>
        <span class="kind-below"> {kindText(kind)}</span>
      </th>
      <td class="kind">{kindText(kind)}</td>
      <td class="state-cell">
        <StateBadge state={state} isForced={forced !== null} />
      </td>
      <td class="since">{since === null ? unknownText : <Since at={since} />}</td>
      <td class="figures">
        <Figures policy={policy} />
      </td>
      <td class="dependencies" title={dependencies.join(', ')}>
        {dependencies.join(', ')}
      </td>
    </tr>
  )
}

function Since({ at }: { readonly at: number }) {
  return <>{timeStyle.value === 'relative' ? lastedText(now.value - at) : instantText(at, now.value)}</>
}

function Figures({ policy }: { readonly policy: PolicyView }) {
  return (
    <>
      {policyFigures(policy)
        .slice(0, figuresShown)
        .map(({ label, value }) => (
          <span key={label} class="row-figure">
            <span class="quiet">{label}</span> {value}
          </span>
        ))}
    </>
  )
}

function toggled(known: ReadonlySet<string>, id: string, isIn: boolean): ReadonlySet<string> {
  const next = new Set(known)
  if (isIn) next.add(id)
  else next.delete(id)
  return next
}
