import { range, ranges, rangeTexts } from '../time-axis.ts'

/** Which stretch of time is on the axis. */
export function RangeChoice() {
  return (
    <fieldset class="choice-group">
      <legend class="unseen">Time range</legend>
      {ranges.map((each) => (
        <label key={each}>
          <input type="radio" name="range" value={each} checked={range.value === each} onChange={() => (range.value = each)} />
          <span>{rangeTexts[each]}</span>
        </label>
      ))}
    </fieldset>
  )
}
