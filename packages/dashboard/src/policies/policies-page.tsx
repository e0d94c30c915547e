import { useComputed, useSignal } from '@preact/signals'
import { policies, server } from '../live/store.ts'
import { shownOrder } from '../overview/severity.ts'
import { Link } from '../router.tsx'
import { Empty, Loading } from '../ui/notice.tsx'
import { countText } from '../words/figure-text.ts'
import { BulkBar } from './bulk-bar.tsx'
import { matchingPolicies, sortedPolicies, type SortOrder } from './policy-order.ts'
import { PolicyTable } from './policy-table.tsx'

/** Every policy there is, to be searched, sorted, and acted on together. */
export function PoliciesPage() {
  const search = useSignal('')
  const order = useSignal<SortOrder>({ column: 'state', isDescending: false })
  const selected = useSignal<ReadonlySet<string>>(new Set())
  const isHeld = useSignal(false)
  const shown = useSignal<{ readonly key: string; readonly ids: readonly string[] }>({ key: '', ids: [] })
  const ids = useComputed(() => {
    const matching = matchingPolicies(Object.values(policies.value), search.value)
    const wanted = sortedPolicies(matching, order.value).map(({ id }) => id)
    const key = `${order.value.column} ${order.value.isDescending}`
    const known = shown.peek()
    return { key, ids: known.key === key ? shownOrder(known.ids, wanted, isHeld.value) : wanted }
  })
  shown.value = ids.value
  const total = Object.keys(policies.value).length
  if (server.value === null) return <Loading what="the policies" />
  if (total === 0) return <NoPolicies />
  const { ids: names } = ids.value
  return (
    <>
      <h1 class="unseen">Policies</h1>
      <div class="toolbar" role="search">
        <input
          type="search"
          class="policy-search"
          data-search
          aria-label="Filter policies by name, kind, state or dependency"
          placeholder="Filter by name, kind, state, dependency  /"
          value={search.value}
          onInput={(event) => (search.value = event.currentTarget.value)}
        />
        <span class="quiet" role="status">
          {names.length === total ? `${countText(total)} policies` : `${countText(names.length)} of ${countText(total)} policies`}
        </span>
        <BulkBar shown={names} selected={selected} />
      </div>
      {names.length === 0 ? (
        <Empty title={`No policy matches “${search.value}”.`}>Escape in the filter box shows all again.</Empty>
      ) : (
        <PolicyTable ids={names} order={order} selected={selected} isHeld={isHeld} />
      )}
    </>
  )
}

function NoPolicies() {
  return (
    <Empty title="There is no policy yet">
      <p>
        Policies come with the upstreams of the <Link to="/configuration">configuration</Link>: a circuit breaker, a retry, a limit.
      </p>
    </Empty>
  )
}
