import { lastedText, ratioText } from '../words/figure-text.ts'
import type { DemoView } from './demo-view.ts'

/** What goes on in both lanes, in two sentences: the faults in force, and how many tasks succeed in spite of them. */
export function demoSentence(demo: DemoView): string {
  const shares = demo.lanes
    .filter((lane) => lane.recent.successRatio !== null)
    .map((lane) => `${ratioText(lane.recent.successRatio)} in the ${lane.title} lane`)
  const faults = faultWords(demo)
  return shares.length === 0 ? faults : `${faults} Of the tasks of the last 10 s succeeded: ${shares.join(', ')}.`
}

function faultWords({ faultSegments, script, at }: DemoView): string {
  const current = faultSegments.filter((segment) => segment.until === null)
  if (current.length > 0)
    return `${current.map(({ service, text, from }) => `${service} ${text} for ${lastedText(at - from)}`).join('; ')}.`
  if (script.index === null) return 'The script is over, and no fault is in force.'
  const next = nextFault(script)
  return next === null ? 'No fault is in force.' : `No fault is in force; ${next}.`
}

function nextFault({ phases, index, positionMs, durationMs, loops }: DemoView['script']): string | null {
  if (index === null) return null
  const coming = [
    ...phases.slice(index + 1).map((phase) => ({ ...phase, inMs: phase.startMs - positionMs })),
    ...(loops ? phases.map((phase) => ({ ...phase, inMs: durationMs - positionMs + phase.startMs })) : []),
  ].find(({ faults }) => faults.length > 0)
  const fault = coming?.faults[0]
  return coming === undefined || fault === undefined ? null : `next: ${fault.service} ${fault.text}, in ${lastedText(coming.inMs)}`
}
