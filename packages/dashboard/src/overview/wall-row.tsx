import type { DependencyView, ForcedView } from '@holdfast/server/wire'
import { useComputed } from '@preact/signals'
import { dependencies, now } from '../live/store.ts'
import { wall } from '../live/wall-feed.ts'
import { figuresAt } from '../live/wall-history.ts'
import { timeStyle } from '../preferences.ts'
import { dependencyPath, Link } from '../router.tsx'
import { crosshair } from '../time-axis.ts'
import { Quantity } from '../ui/quantity.tsx'
import { StateGlyph } from '../ui/state-glyph.tsx'
import { countText, lastedText, latencyText, ratioText, unknownText } from '../words/figure-text.ts'
import { stateWords } from '../words/state-words.ts'
import { instantText } from '../words/time-text.ts'
import type { Density } from './row-height.ts'
import { RowCanvas } from './row-canvas.tsx'

interface WallRowProps {
  readonly name: string
  readonly index: number
  readonly rowHeight: number
  readonly density: Density
}

/** One dependency: who and in which state, its ribbon, its figures. At the crosshair all of it is of that instant. */
export function WallRow({ name, index, rowHeight, density }: WallRowProps) {
  const view = useComputed(() => dependencies.value[name])
  const dependency = view.value
  if (dependency === undefined) return null
  return (
    <div
      role="row"
      class="wall-row wall-columns"
      data-row={name}
      aria-rowindex={index + 2}
      style={{ transform: `translateY(${index * rowHeight}px)`, height: `${rowHeight}px` }}
    >
      <div role="rowheader" class="row-name">
        <span class="row-title">
          <RowGlyph dependency={dependency} />
          <Link to={dependencyPath(name)}>{name}</Link>
        </span>
        <span class="row-state">
          <RowState dependency={dependency} />
        </span>
      </div>
      <div role="cell" class="row-plot">
        <RowCanvas name={name} height={density === 'stacked' ? 34 : rowHeight - (density === 'dense' ? 6 : 8)} />
      </div>
      <Figures dependency={dependency} />
    </div>
  )
}

function RowGlyph({ dependency }: { readonly dependency: DependencyView }) {
  const at = crosshair.value
  const state = at === null || wall.value === null ? dependency.state : figuresAt(wall.value, dependency.name, at).state
  return <StateGlyph state={state} />
}

function RowState({ dependency }: { readonly dependency: DependencyView }) {
  const at = crosshair.value
  const frame = wall.value
  if (at !== null && frame !== null) {
    const { state, forced } = figuresAt(frame, dependency.name, at)
    return (
      <>
        {stateWords[state].name}
        {forced && <span class="forced-mark"> by hand</span>}
      </>
    )
  }
  const { state, since, forced, silence } = dependency
  const { name, meaning } = stateWords[state]
  return (
    <>
      <b class="state-word" data-state={state} title={meaning}>
        {name}
      </b>{' '}
      {forced === null ? sinceText(since) : <ForcedText forced={forced} />}
      {silence !== null && <span title={`${silence.by}: ${silence.reason}`}> silenced</span>}
    </>
  )
}

function sinceText(since: number): string {
  return timeStyle.value === 'relative' ? lastedText(now.value - since) : `since ${instantText(since, now.value)}`
}

/** Who set it, and for how much longer. */
function ForcedText({ forced }: { readonly forced: ForcedView }) {
  const { by, at, expiresAt, reason } = forced
  const left =
    expiresAt === null
      ? ''
      : timeStyle.value === 'relative'
        ? `, ${lastedText(expiresAt - now.value)} left`
        : `, until ${instantText(expiresAt, now.value)}`
  return (
    <span class="forced-mark" title={`${reason} (since ${instantText(at, now.value)})`}>
      by {by}
      {left}
    </span>
  )
}

function Figures({ dependency }: { readonly dependency: DependencyView }) {
  const at = crosshair.value
  const frame = wall.value
  if (at !== null && frame !== null) {
    const { attemptsPerSecond, failureRatio } = figuresAt(frame, dependency.name, at)
    const ok = failureRatio === null ? null : 1 - failureRatio
    return <FigureCells success={ok} p95={null} rate={attemptsPerSecond} isInstant />
  }
  const { successRatio, p95Ms, callsPerSecond } = dependency.recent
  return <FigureCells success={successRatio} p95={p95Ms} rate={callsPerSecond} />
}

interface FigureCellsProps {
  readonly success: number | null
  readonly p95: number | null
  readonly rate: number | null
  readonly isInstant?: boolean
}

function FigureCells({ success, p95, rate, isInstant = false }: FigureCellsProps) {
  const grade = success === null || success >= 0.99 ? 'good' : success >= 0.9 ? 'strained' : 'failing'
  return (
    <>
      <div role="cell" class="number figure" data-grade={grade} data-label={isInstant ? 'ok' : 'success'}>
        <Quantity text={ratioText(success)} />
      </div>
      <div role="cell" class="number figure" data-label="p95">
        <Quantity text={isInstant ? '' : latencyText(p95)} />
      </div>
      <div role="cell" class="number figure" data-label={isInstant ? 'sent/s' : 'calls/s'}>
        {steadyRateText(rate)}
      </div>
    </>
  )
}

/** A rate that keeps its width from second to second: `12.0`, `0.25`, `1,204`. */
function steadyRateText(perSecond: number | null): string {
  if (perSecond === null) return unknownText
  if (perSecond >= 99.95 || perSecond === 0) return countText(perSecond)
  return perSecond.toFixed(perSecond < 0.995 ? 2 : 1)
}
