import type { DemoView } from './demo-view.ts'
import { scoreGroups } from './score-rows.ts'

/** The running score: the same figures for each lane, side by side. */
export function ScoreTable({ demo }: { readonly demo: DemoView }) {
  return (
    <table class="score">
      <caption>Score</caption>
      <thead>
        <tr>
          <td />
          {demo.lanes.map((lane) => (
            <th scope="col" class="number" key={lane.name}>
              {lane.title}
            </th>
          ))}
        </tr>
      </thead>
      {scoreGroups(demo.lanes, demo.deadlineMs).map(({ title, rows }) => (
        <tbody key={title}>
          <tr class="group">
            <th scope="rowgroup" colSpan={demo.lanes.length + 1}>
              {title}
            </th>
          </tr>
          {rows.map(({ label, values, isPart }) => (
            <tr key={label} class={isPart ? 'part' : undefined}>
              <th scope="row">{label}</th>
              {values.map((value, index) => (
                <td class="number" key={demo.lanes[index]?.name}>
                  {value}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      ))}
    </table>
  )
}
