import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { connection, dependencies, server } from '../live/store.ts'
import { followWall, wall, wallFailure } from '../live/wall-feed.ts'
import { Link } from '../router.tsx'
import { Empty, Failed, Loading } from '../ui/notice.tsx'
import { SituationLine } from './situation-line.tsx'
import { useShownNames } from './use-shown-names.ts'
import { Wall } from './wall.tsx'
import { WallTable } from './wall-table.tsx'
import { WallToolbar } from './wall-toolbar.tsx'

/** What is broken, since when, and what followed: every dependency on one axis of time. */
export function OverviewPage() {
  useEffect(followWall, [])
  const filter = useSignal('')
  const isTable = useSignal(false)
  const isHeld = useSignal(false)
  const names = useShownNames(filter, isHeld)
  const total = Object.keys(dependencies.value).length
  if (connection.value.state === 'connecting') return <Loading what="the state of all dependencies" />
  if (total === 0) return <NoDependencies />
  return (
    <>
      <h1 class="unseen">Overview</h1>
      <SituationLine />
      <WallToolbar filter={filter} isTable={isTable} shown={names.length} total={total} />
      {wall.value === null && wallFailure.value !== null && <Failed title="The history could not be read" reason={wallFailure.value} />}
      {names.length === 0 ? (
        <Empty title={`No dependency has “${filter.value}” in its name, state or kind.`}>Escape in the filter box shows all again.</Empty>
      ) : isTable.value ? (
        <WallTable names={names} />
      ) : (
        <Wall names={names} isHeld={isHeld} />
      )}
    </>
  )
}

function NoDependencies() {
  return (
    <Empty title="No dependency is configured yet">
      <p>
        Everything this server protects appears here, one row each, on one axis of time. Add an upstream under <code>upstreams</code> in the{' '}
        <Link to="/configuration">configuration</Link>, and send calls through the gateway
        {server.value === null ? '' : ` at ${server.value.gatewayUrl}`}.
      </p>
    </Empty>
  )
}
