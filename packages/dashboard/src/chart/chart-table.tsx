import { useState } from 'preact/hooks'
import type { ChartSeries } from './chart-data.ts'

interface ChartTableProps {
  readonly title: string
  readonly from: number
  readonly stepMs: number
  readonly series: readonly ChartSeries[]
  readonly format: (value: number | null) => string
}

/** The numbers behind a chart, newest first; made only while it is open. */
export function ChartTable(props: ChartTableProps) {
  const [isOpen, setOpen] = useState(false)
  return (
    <details class="chart-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        Table<span class="unseen"> of {props.title}</span>
      </summary>
      {isOpen && <Rows {...props} />}
    </details>
  )
}

function Rows({ title, from, stepMs, series, format }: ChartTableProps) {
  const buckets = (series[0]?.values ?? [])
    .map((_, index) => index)
    .filter((index) => series.some(({ values }) => (values[index] ?? null) !== null))
  return (
    <div class="wide chart-rows" tabIndex={0} role="region" aria-label={`${title}, as a table`}>
      <table>
        <caption class="unseen">{title}</caption>
        <thead>
          <tr>
            <th scope="col">from</th>
            {series.map(({ label }) => (
              <th scope="col" class="number" key={label}>
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {buckets.toReversed().map((index) => (
            <tr key={index}>
              <th scope="row">{new Date(from + index * stepMs).toLocaleTimeString()}</th>
              {series.map(({ label, values }) => (
                <td class="number" key={label}>
                  {format(values[index] ?? null)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
