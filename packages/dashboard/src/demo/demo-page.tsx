import { demo as liveDemo } from '../live/store.ts'
import { clockText } from '../words/figure-text.ts'
import { DemoCharts } from './demo-charts.tsx'
import { demoSentence } from './demo-sentence.ts'
import { demoView, type DemoView } from './demo-view.ts'
import { FaultButtons } from './fault-buttons.tsx'
import { ScoreTable } from './score-table.tsx'
import { SecondTable } from './second-table.tsx'
import './demo.css'

/** Two lanes, the same work, the same faults, the same axes: bare above, Holdfast below. */
export function DemoPage() {
  const demo = demoView(liveDemo.value)
  if (demo === null) {
    return (
      <div class="demo-page">
        <h1>Demo</h1>
        <p class="quiet">
          This server runs no demonstration. <code>npm start</code> in the project, or <code>npx holdfast demo</code>, runs one.
        </p>
      </div>
    )
  }
  return (
    <div class="demo-page">
      <h1>The same work twice: without and with Holdfast</h1>
      <p class="demo-situation">{demoSentence(demo)}</p>
      <p class="demo-facts">{factsOf(demo)}</p>
      {demo.loopDelayP99Ms > 100 && (
        <p class="demo-strain">
          This machine is short of time: the demo itself was held up by {Math.round(demo.loopDelayP99Ms)} ms in the last second, and both
          lanes' figures with it.
        </p>
      )}
      <div class="demo-layout">
        <div>
          <DemoCharts demo={demo} />
          <Legend />
          <FaultButtons demo={demo} />
          <SecondTable demo={demo} />
        </div>
        <ScoreTable demo={demo} />
      </div>
    </div>
  )
}

function factsOf({ arrivalsPerSecond, deadlineMs, seed, elapsedMs, script }: DemoView): string {
  const phase = script.index === null ? 'the script is over' : `the script is at “${script.phases[script.index]?.title ?? ''}”`
  const length = script.loops ? '' : ` of ${clockText(script.durationMs)}`
  return `${clockText(elapsedMs)}${length}: ${phase}. In each lane ${arrivalsPerSecond} tasks a second ask a model, search and order; a user leaves after ${deadlineMs / 1_000} s. Services of their own, same seed (${seed}), same faults; the bare lane calls as an SDK does by itself.`
}

function Legend() {
  return (
    <ul class="demo-legend" aria-label="Legend">
      <li>
        <i class="key finished" aria-hidden="true" /> finished
      </li>
      <li>
        <i class="key lost" aria-hidden="true" /> failed
      </li>
      <li>
        <i class="key left" aria-hidden="true" /> user had left, or lane full
      </li>
      <li>
        <i class="key p99" aria-hidden="true" /> p99
      </li>
      <li>
        <i class="key p50" aria-hidden="true" /> p50
      </li>
      <li>
        <i class="key planned" aria-hidden="true" /> planned fault
      </li>
    </ul>
  )
}
