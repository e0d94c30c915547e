import type { DependencyView, PolicyView } from '@holdfast/server/wire'
import { config, dependencies, events, server } from '../live/store.ts'
import { Empty, Failed, Loading } from '../ui/notice.tsx'
import { RangeChoice } from '../ui/range-choice.tsx'
import { StateBadge } from '../ui/state-badge.tsx'
import { TimeText } from '../ui/time-text.tsx'
import { ForcedNotice } from './forced-notice.tsx'
import { DependencyCharts } from './dependency-charts.tsx'
import { DependencySettings } from './dependency-settings.tsx'
import { dependencyFigures } from './dependency-figures.ts'
import { LatestEvents } from './latest-events.tsx'
import { pipelineOf } from './pipeline-of.ts'
import { PipelineList } from './pipeline-list.tsx'
import { SilenceControl } from './silence-control.tsx'
import { useHistory } from './use-history.ts'
import { range } from '../time-axis.ts'
import './detail.css'

/** Everything about one dependency: how it does, what stands before it, what happened, and what one may do. */
export function DependencyPage({ name }: { readonly name: string }) {
  const dependency = dependencies.value[name]
  if (dependency !== undefined) return <Present dependency={dependency} />
  if (server.value === null) return <Loading what={name} />
  return (
    <Empty title={`There is no dependency named ${name}.`}>It may have left the configuration. The overview lists those there are.</Empty>
  )
}

function Present({ dependency }: { readonly dependency: DependencyView }) {
  const { name, url, state, since, forced, health } = dependency
  const pipeline = pipelineOf(dependency.policies)
  const concerned = new Set([name, ...dependency.policies])
  return (
    <article class="detail-page">
      <header class="detail-head">
        <h1>{name}</h1>
        <StateBadge state={state} isForced={forced !== null} />
        <span class="quiet">
          <TimeText at={since} />
        </span>
        <span class="detail-url">{url}</span>
        {health.reason !== null && <span class={`health ${health.status}`}>{health.reason}</span>}
        <SilenceControl dependency={dependency} />
      </header>
      {forced !== null && <ForcedNotice forced={forced} policy={pipeline.find((policy) => policy.forced !== null) ?? null} />}
      <dl class="figures wide-figures">
        {dependencyFigures(dependency).map(({ label, value }) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <History name={name} pipeline={pipeline} />
      <div class="detail-columns">
        <section aria-labelledby="pipeline-title">
          <h2 id="pipeline-title">What a call passes, outermost first</h2>
          <PipelineList name={name} url={url} pipeline={pipeline} />
        </section>
        <LatestEvents events={events.value.filter(({ policy }) => concerned.has(policy))} search={name} />
      </div>
      <DependencySettings name={name} generation={config.value?.generation ?? 0} />
    </article>
  )
}

/** The charts of a dependency, or why there are none. */
export function History({ name, pipeline }: { readonly name: string; readonly pipeline: readonly PolicyView[] }) {
  const { history, failure } = useHistory(name, range.value)
  return (
    <section aria-labelledby="history-title">
      <div class="toolbar history-head">
        <h2 id="history-title">Over time</h2>
        <RangeChoice />
      </div>
      {history === null && failure === null && <Loading what={`the history of ${name}`} />}
      {history === null && failure !== null && <Failed title="The history could not be read." reason={failure} />}
      {history !== null && failure !== null && (
        <p class="failed" role="status">
          The charts do not go on: {failure}
        </p>
      )}
      {history !== null && <DependencyCharts name={name} history={history} pipeline={pipeline} />}
    </section>
  )
}
