import type { DependencyHistory, PolicyView } from '@holdfast/server/wire'
import { LineChart } from '../chart/line-chart.tsx'
import { axis, crosshair } from '../time-axis.ts'
import { countText, durationText, latencyText, rateText } from '../words/figure-text.ts'
import { attemptSeries, latencySeries, placesLimits, placesSeries, timeoutLimits } from './dependency-series.ts'
import { StateRibbon } from './state-ribbon.tsx'

const roundDuration = (ms: number | null): string => (ms === null ? '–' : durationText(ms))

interface DependencyChartsProps {
  readonly name: string
  readonly history: DependencyHistory
  readonly pipeline: readonly PolicyView[]
}

/** Attempts, latency, places: three charts on the axis of the ribbon above them, with the limits in force drawn in. */
export function DependencyCharts({ name, history, pipeline }: DependencyChartsProps) {
  const shared = { span: axis.value, from: history.from, stepMs: history.stepMs, crosshair }
  return (
    <div class="detail-charts">
      <StateRibbon name={name} history={history} />
      <LineChart {...shared} title="Attempts per second" series={attemptSeries(history)} format={rateText} />
      <LineChart
        {...shared}
        title="Latency of attempts"
        scale="logarithmic"
        series={latencySeries(history)}
        limits={timeoutLimits(pipeline)}
        format={latencyText}
        formatRound={roundDuration}
      />
      <LineChart
        {...shared}
        title="Calls running and waiting"
        series={placesSeries(history)}
        limits={placesLimits(pipeline)}
        format={countText}
        hasTimes
      />
    </div>
  )
}
