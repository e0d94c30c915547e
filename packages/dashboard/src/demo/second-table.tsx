import { useState } from 'preact/hooks'
import { countText, latencyText } from '../words/figure-text.ts'
import type { DemoView, LanePointView } from './demo-view.ts'

const columns: readonly (readonly [name: string, read: (point: LanePointView) => string])[] = [
  ['finished', (point) => countText(point.finished)],
  ['failed', (point) => countText(point.failed)],
  ['left', (point) => countText(point.late + point.dropped)],
  ['p50', (point) => latencyText(point.p50Ms)],
  ['p99', (point) => latencyText(point.p99Ms)],
  ['to the model', (point) => countText(point.llmRequests)],
]

/** The seconds behind the charts, newest first; made only while open. */
export function SecondTable({ demo }: { readonly demo: DemoView }) {
  const [isOpen, setOpen] = useState(false)
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>The last two minutes as a table</summary>
      {isOpen && <Seconds demo={demo} />}
    </details>
  )
}

function Seconds({ demo: { lanes, at } }: { readonly demo: DemoView }) {
  const seconds = lanes[0]?.history.toReversed() ?? []
  return (
    <div class="wide second-rows" tabIndex={0} role="region" aria-label="The last two minutes, second by second">
      <table>
        <thead>
          <tr>
            <td />
            {lanes.map(({ name, title }) => (
              <th scope="colgroup" colSpan={columns.length} key={name}>
                {title}
              </th>
            ))}
          </tr>
          <tr>
            <th scope="col">seconds ago</th>
            {lanes.flatMap(({ name }) =>
              columns.map(([column]) => (
                <th scope="col" class="number" key={`${name} ${column}`}>
                  {column}
                </th>
              )),
            )}
          </tr>
        </thead>
        <tbody>
          {seconds.map(({ at: end }, index) => (
            <tr key={end}>
              <th scope="row">{Math.round((at - end) / 1_000)}</th>
              {lanes.flatMap(({ name, history }) =>
                columns.map(([column, read]) => {
                  const point = history.at(-1 - index)
                  return (
                    <td class="number" key={`${name} ${column}`}>
                      {point === undefined ? '–' : read(point)}
                    </td>
                  )
                }),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
