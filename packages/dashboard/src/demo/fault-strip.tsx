import type { Signal } from '@preact/signals'
import { stripPieces, type DemoAxis } from './demo-axis.ts'
import { AxisLines, percent } from './demo-charts.tsx'
import { demoServices, type DemoView } from './demo-view.ts'

interface FaultStripProps {
  readonly demo: DemoView
  readonly axis: DemoAxis
  readonly pointedAt: Signal<number | null>
}

/** A narrower piece would cut its words to nothing; its tooltip and the column at the end have them. */
const leastForWords = 0.07

/** What was wrong with each service, and what the script will do to it: what is only planned is an outline. */
export function FaultStrip({ demo, axis, pointedAt }: FaultStripProps) {
  const pieces = stripPieces(demo, axis)
  return (
    <div class="fault-strip">
      {demoServices.map((service) => (
        <div class="demo-row strip" key={service}>
          <div class="demo-label">faults of {service}</div>
          <div class="demo-plot">
            <AxisLines axis={axis} pointedAt={pointedAt} />
            {pieces
              .filter((piece) => piece.service === service)
              .map(({ key, kind, text, isManual, isPlanned, left, width }) => (
                <span
                  key={key}
                  class={`fault ${isPlanned ? 'planned' : 'happened'}`}
                  data-kind={kind}
                  style={{ left: percent(left), width: percent(width) }}
                  title={`${service} ${text}${isManual ? ', by hand' : ''}${isPlanned ? ', planned' : ''}`}
                >
                  {width > leastForWords && (isManual ? `${text} (by hand)` : text)}
                </span>
              ))}
          </div>
          <div class="demo-value">{nowOf(demo, service)}</div>
        </div>
      ))}
    </div>
  )
}

function nowOf({ faultSegments }: DemoView, service: string): string {
  return faultSegments.find((segment) => segment.service === service && segment.until === null)?.text ?? 'no fault'
}
