import { dependencies } from '../live/store.ts'
import { wall } from '../live/wall-feed.ts'
import { dependencyPath, Link } from '../router.tsx'
import { range, rangeTexts } from '../time-axis.ts'
import { Quantity } from '../ui/quantity.tsx'
import { StateBadge } from '../ui/state-badge.tsx'
import { TimeText } from '../ui/time-text.tsx'
import { countText, lastedText, latencyText, rateText, ratioText, unknownText } from '../words/figure-text.ts'
import { markerWords } from './marker-lane.tsx'
import { summaryOf, type RowSummary } from './row-words.ts'

/** The numbers behind the wall. */
export function WallTable({ names }: { readonly names: readonly string[] }) {
  const frame = wall.value
  return (
    <div class="wide">
      <table class="wall-table">
        <caption>The last {rangeTexts[range.value]}, worst first. Success, p95 and calls/s are of the last minute.</caption>
        <thead>
          <tr>
            <th scope="col">Dependency</th>
            <th scope="col">State</th>
            <th scope="col">Since</th>
            <th scope="col" class="number">
              success
            </th>
            <th scope="col" class="number">
              p95
            </th>
            <th scope="col" class="number">
              calls/s
            </th>
            <th scope="col" class="number">
              sent
            </th>
            <th scope="col" class="number">
              failed
            </th>
            <th scope="col" class="number">
              state changes
            </th>
            <th scope="col" class="number">
              time open
            </th>
          </tr>
        </thead>
        <tbody>
          {names.map((name) => {
            const dependency = dependencies.value[name]
            if (dependency === undefined) return null
            const summary = frame === null ? null : summaryOf(frame, name)
            const { successRatio, p95Ms, callsPerSecond } = dependency.recent
            return (
              <tr key={name}>
                <th scope="row">
                  <Link to={dependencyPath(name)}>{name}</Link>
                </th>
                <td>
                  <StateBadge state={dependency.state} isForced={dependency.forced !== null} />
                </td>
                <td>
                  <TimeText at={dependency.since} />
                </td>
                <td class="number">
                  <Quantity text={ratioText(successRatio)} />
                </td>
                <td class="number">
                  <Quantity text={latencyText(p95Ms)} />
                </td>
                <td class="number">{rateText(callsPerSecond)}</td>
                <td class="number">{countText(summary?.sent ?? null)}</td>
                <td class="number">{countText(summary?.failed ?? null)}</td>
                <td class="number">{countText(summary?.changes ?? null)}</td>
                <td class="number">{timeOpenText(summary)}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
      {frame !== null && frame.markers.length > 0 && (
        <details>
          <summary>What concerned all, as a list</summary>
          <ul>
            {frame.markers.map((marker) => (
              <li key={`${marker.at} ${marker.text}`}>{markerWords(marker)}</li>
            ))}
          </ul>
        </details>
      )}
    </div>
  )
}

function timeOpenText(summary: RowSummary | null): string {
  const ms = summary?.durations.get('open')
  return ms === undefined ? unknownText : lastedText(ms)
}
