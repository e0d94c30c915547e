import type { PolicyView } from '@holdfast/server/wire'
import { Link, policyPath } from '../router.tsx'
import { StateBadge } from '../ui/state-badge.tsx'
import { kindText } from '../words/policy-name.ts'
import { policyFigures } from './policy-figures.ts'

/** What a call passes on its way to the dependency, outermost first, each with its state and figures. */
export function PipelineList({
  name,
  url,
  pipeline,
}: {
  readonly name: string
  readonly url: string
  readonly pipeline: readonly PolicyView[]
}) {
  return (
    <ol class="pipeline">
      {pipeline.map((policy) => (
        <li key={policy.id} class={policy.forced === null ? undefined : 'forced'}>
          <div class="pipeline-head">
            <span class="pipeline-kind">{kindText(policy.kind)}</span>
            <Link to={policyPath(policy.id)}>{policy.name}</Link>
            <StateBadge state={policy.state} isForced={policy.forced !== null} />
          </div>
          <dl class="figures">
            {policyFigures(policy).map(({ label, value }) => (
              <div key={label}>
                <dt>{label}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        </li>
      ))}
      <li class="pipeline-end">
        <div class="pipeline-head">
          <span class="pipeline-kind">dependency</span>
          <b>{name}</b> <span class="quiet">{url}</span>
        </div>
      </li>
    </ol>
  )
}
