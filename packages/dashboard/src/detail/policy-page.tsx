import type { PolicyView } from '@holdfast/server/wire'
import { SettingsTable } from '../configuration/settings-table.tsx'
import { joinEvents } from '../events/filter-events.ts'
import { config, dependencies as allDependencies, events, policies, server } from '../live/store.ts'
import { dependencyPath, Link } from '../router.tsx'
import { Empty, Failed, Loading } from '../ui/notice.tsx'
import { StateBadge } from '../ui/state-badge.tsx'
import { TimeText } from '../ui/time-text.tsx'
import { kindText } from '../words/policy-name.ts'
import { History } from './dependency-page.tsx'
import { pipelineOf } from './pipeline-of.ts'
import { ForcedNotice } from './forced-notice.tsx'
import { LatestEvents } from './latest-events.tsx'
import { PolicyActions } from './policy-actions.tsx'
import { policyFigures } from './policy-figures.ts'
import { usePolicyDetail } from './use-policy-detail.ts'
import './detail.css'

/** Everything about one policy: its state, its figures, the settings in force and where they come from, and what one may do. */
export function PolicyPage({ id }: { readonly id: string }) {
  const policy = policies.value[id]
  if (policy !== undefined) return <Present policy={policy} />
  if (server.value === null) return <Loading what={id} />
  return <Empty title={`There is no policy ${id}.`}>It may have left the configuration. The list of policies has those there are.</Empty>
}

function Present({ policy }: { readonly policy: PolicyView }) {
  const { id, name, kind, state, since, forced, health, dependencies } = policy
  const { detail, failure } = usePolicyDetail(id, config.value?.generation ?? 0)
  const own = events.value.filter((event) => event.policy === id)
  const [first] = dependencies
  return (
    <article class="detail-page">
      <header class="detail-head">
        <h1>
          <span class="detail-kind">{kindText(kind)}</span> {name}
        </h1>
        <StateBadge state={state} isForced={forced !== null} />
        {since !== null && (
          <span class="quiet">
            <TimeText at={since} />
          </span>
        )}
        {health.reason !== null && <span class={`health ${health.status}`}>{health.reason}</span>}
        <PolicyActions policy={policy} />
      </header>
      {forced !== null && <ForcedNotice forced={forced} policy={policy} />}
      <dl class="figures wide-figures">
        {policyFigures(policy).map(({ label, value }) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Guarded names={dependencies} />
      {first !== undefined && <History name={first} pipeline={pipelineOf(allDependencies.value[first]?.policies ?? [])} />}
      <div class="detail-columns">
        <section aria-labelledby="settings-title">
          <h2 id="settings-title">Settings in force</h2>
          {failure !== null && <Failed title="The settings could not be read." reason={failure} />}
          {detail === null && failure === null && <Loading what="the settings" />}
          {detail !== null && detail.settings.length > 0 && <SettingsTable settings={detail.settings} caption={`Settings of ${name}`} />}
          {detail !== null && detail.settings.length === 0 && (
            <p class="quiet">This policy was made by a program, not by the configuration: the server knows no settings of it.</p>
          )}
        </section>
        <LatestEvents events={joinEvents(detail?.events ?? [], own)} search={id} />
      </div>
    </article>
  )
}

/** Which dependencies an action here touches. The charts are those of the first. */
function Guarded({ names }: { readonly names: readonly string[] }) {
  if (names.length === 0) {
    return (
      <p class="quiet">It stands in the pipeline of no dependency of this gateway: a program uses it by itself, and no history is kept.</p>
    )
  }
  return (
    <p class="guarded">
      Stands before{' '}
      {names.map((name, index) => (
        <span key={name}>
          {index > 0 && ', '}
          <Link to={dependencyPath(name)}>{name}</Link>
        </span>
      ))}
      {names.length > 1 && <span class="quiet">; the charts are those of {names[0]}</span>}
    </p>
  )
}
