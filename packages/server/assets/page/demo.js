import { DemoCharts } from './demo-charts.js'
import { FaultForm } from './fault-form.js'
import { clock } from './format.js'
import { showScore, showSeconds } from './score.js'

const element = (id) => document.getElementById(id)
let charts = null
let form = null

/** The part of the page that is there only while a demo runs. */
export function showDemo(demo) {
  charts ??= new DemoCharts(element('charts'))
  form ??= new FaultForm(element('faults'))
  element('demo-facts').textContent = facts(demo)
  charts.show(demo)
  form.show(demo)
  showScore(element('score'), demo)
  const seconds = element('chart-data')
  if (seconds.open && demo.lanes[0].history.length > 0) showSeconds(seconds.querySelector('table'), demo)
}

function facts({ arrivalsPerSecond, deadlineMs, seed, elapsedMs, script }) {
  const phase = script.index === null ? 'script over' : script.phases[script.index].title
  const length = script.loops ? '' : ` of ${clock(script.durationMs)}`
  return `${clock(elapsedMs)}${length}, ${phase}. ${arrivalsPerSecond} tasks per second arrive in each lane, their users wait ${deadlineMs / 1_000} s. Each lane has its own services with the same seed (${seed}) and the same faults.`
}
