import type { Signal } from '@preact/signals'
import { useRef } from 'preact/hooks'
import { narrow } from '../overview/row-height.ts'
import { useMedia } from '../ui/use-media.ts'
import { renderedRows, useRowWalk } from '../ui/use-row-walk.ts'
import { useVirtualRows } from '../ui/use-virtual-rows.ts'
import { mayOperate } from './bulk-bar.tsx'
import type { SortColumn, SortOrder } from './policy-order.ts'
import { PolicyRow } from './policy-row.tsx'

interface PolicyTableProps {
  readonly ids: readonly string[]
  readonly order: Signal<SortOrder>
  readonly selected: Signal<ReadonlySet<string>>
  readonly isHeld: Signal<boolean>
}

const columns: readonly { readonly column: SortColumn; readonly title: string }[] = [
  { column: 'name', title: 'Name' },
  { column: 'kind', title: 'Kind' },
  { column: 'state', title: 'State' },
  { column: 'since', title: 'Since' },
]

/** The policies as a table, of which only the rows near the viewport exist. */
export function PolicyTable({ ids, order, selected, isHeld }: PolicyTableProps) {
  const body = useRef<HTMLTableSectionElement>(null)
  const rowHeight = useMedia(narrow) ? 44 : 30
  const near = useVirtualRows(body, ids.length, rowHeight)
  const walk = useRowWalk({ list: body, names: ids, rowHeight, isHeld })
  const rows = renderedRows(near, walk.focused === null ? -1 : ids.indexOf(walk.focused))
  const canSelect = mayOperate()
  return (
    <table
      class="policy-table"
      aria-rowcount={ids.length + 1}
      onPointerMove={() => walk.hold(true)}
      onPointerLeave={() => walk.hold(false)}
    >
      <caption class="unseen">Policies</caption>
      <thead>
        <tr aria-rowindex={1}>
          {canSelect && (
            <th scope="col" class="select">
              <SelectAll ids={ids} selected={selected} />
            </th>
          )}
          {columns.map(({ column, title }) => (
            <SortHead key={column} column={column} title={title} order={order} />
          ))}
          <th scope="col" class="figures">
            Figures
          </th>
          <SortHead column="dependencies" title="Stands before" order={order} />
        </tr>
      </thead>
      <tbody ref={body} onFocusIn={walk.onFocusIn} onFocusOut={walk.onFocusOut}>
        {rows.flatMap((index, place) => {
          const id = ids[index] ?? ''
          const gap = index - (place === 0 ? 0 : (rows[place - 1] ?? 0) + 1)
          return [
            ...(gap > 0 ? [<Spacer key={place === 0 ? 'before' : 'between'} height={gap * rowHeight} />] : []),
            <PolicyRow key={`row ${id}`} id={id} index={index} selected={canSelect ? selected : null} />,
          ]
        })}
        <Spacer key="after" height={(ids.length - 1 - (rows.at(-1) ?? ids.length - 1)) * rowHeight} />
      </tbody>
    </table>
  )
}

function Spacer({ height }: { readonly height: number }) {
  return height <= 0 ? null : <tr class="spacer" aria-hidden="true" style={{ height: `${height}px` }} />
}

interface SortHeadProps {
  readonly column: SortColumn
  readonly title: string
  readonly order: Signal<SortOrder>
}

function SortHead({ column, title, order }: SortHeadProps) {
  const { column: current, isDescending } = order.value
  const isCurrent = current === column
  const sort = (): void => {
    order.value = { column, isDescending: isCurrent && !isDescending }
  }
  return (
    <th scope="col" class={column} aria-sort={isCurrent ? (isDescending ? 'descending' : 'ascending') : 'none'}>
      <button type="button" class="sort" onClick={sort}>
        {title}
        <svg viewBox="0 0 8 8" width="8" height="8" aria-hidden="true">
          {isCurrent && <path d={isDescending ? 'M0 2h8L4 7z' : 'M0 6h8L4 1z'} fill="currentColor" />}
        </svg>
      </button>
    </th>
  )
}

function SelectAll({ ids, selected }: { readonly ids: readonly string[]; readonly selected: Signal<ReadonlySet<string>> }) {
  const count = ids.filter((id) => selected.value.has(id)).length
  return (
    <input
      type="checkbox"
      aria-label={`Select all ${ids.length} shown`}
      checked={count === ids.length}
      indeterminate={count > 0 && count < ids.length}
      onChange={(event) => (selected.value = event.currentTarget.checked ? new Set(ids) : new Set())}
    />
  )
}
