import { effect, type Signal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { bucketAt, latestBucket, type ChartLimit, type ChartSeries } from './chart-data.ts'
import { ChartTable } from './chart-table.tsx'
import type { TimeSpan } from '../time-axis.ts'
import { Plot, type PlotInput } from './plot.ts'
import './line-chart.css'

export interface LineChartProps {
  readonly title: string
  /** The shown stretch of time. */
  readonly span: TimeSpan
  /** Start of the first bucket, epoch ms. */
  readonly from: number
  readonly stepMs: number
  readonly series: readonly ChartSeries[]
  readonly limits?: readonly ChartLimit[]
  /** @defaultValue 'linear' */
  readonly scale?: 'linear' | 'logarithmic'
  /** The instant that all charts of a page point at, epoch ms. */
  readonly crosshair: Signal<number | null>
  /** A value with its unit, for axis, legend and table. */
  readonly format: (value: number | null) => string
  /** The same for the round values of axis and limits. @defaultValue format */
  readonly formatRound?: (value: number | null) => string
  /** The lowest of the charts on one axis shows the times. */
  readonly hasTimes?: boolean
}

/**
 * Series over time with their limits drawn in. The legend holds the values at the crosshair, else the newest. Left and right arrow
 * move the crosshair, Escape removes it; the numbers behind the picture are a table on demand.
 */
export function LineChart(props: LineChartProps) {
  const { title, from, stepMs, series, format } = props
  return (
    <section class="chart" aria-label={title}>
      <div class="chart-head">
        <h3>{title}</h3>
        <Legend {...props} />
      </div>
      <ChartArea {...props} />
      <ChartTable title={title} from={from} stepMs={stepMs} series={series} format={format} />
    </section>
  )
}

function Legend({ series, from, stepMs, crosshair, format }: LineChartProps) {
  const index = shownBucket(series, from, stepMs, crosshair.value)
  return (
    <ul class="chart-legend">
      {series.map(({ label, color, form, dash, isStriped = false, values }) => (
        <li key={label}>
          <i
            class={`swatch ${form}${dash === undefined ? '' : ' dashed'}${isStriped ? ' striped' : ''}`}
            style={{ color }}
            aria-hidden="true"
          />
          {label} <b>{format(values[index] ?? null)}</b>
        </li>
      ))}
    </ul>
  )
}

function ChartArea(props: LineChartProps) {
  const {
    title,
    span,
    from,
    stepMs,
    series,
    limits = [],
    scale = 'linear',
    crosshair,
    format,
    formatRound = format,
    hasTimes = false,
  } = props
  const host = useRef<HTMLDivElement>(null)
  const mark = useRef<HTMLDivElement>(null)
  const plot = useRef<Plot | null>(null)
  const input: PlotInput = { span, from, stepMs, series, limits, scale, formatRound, hasTimes }
  const latest = useRef(input)
  latest.current = input
  const shape = [scale, hasTimes, ...series.map(({ label, form }) => `${label} ${form}`)].join(', ')

  useEffect(() => {
    if (host.current === null) return undefined
    const created = new Plot(host.current, latest.current)
    plot.current = created
    return () => {
      plot.current = null
      created.destroy()
    }
  }, [shape])

  useEffect(() => plot.current?.update(latest.current), [span, from, stepMs, series, limits])

  useEffect(
    () =>
      effect(() => {
        const at = crosshair.value
        const left = at === null ? null : (plot.current?.leftOf(at) ?? null)
        if (mark.current === null) return
        mark.current.hidden = left === null
        if (left !== null) mark.current.style.transform = `translateX(${left.toFixed(1)}px)`
      }),
    [shape, span],
  )

  const point = (event: PointerEvent): void => {
    crosshair.value = plot.current?.instantAt(event.clientX) ?? null
  }
  const turn = (event: KeyboardEvent): void => {
    const next = instantAfterKey(event.key, crosshair.value, latest.current)
    if (next === undefined) return
    event.preventDefault()
    crosshair.value = next
  }
  const index = shownBucket(series, from, stepMs, crosshair.value)
  return (
    <div
      class={hasTimes ? 'chart-area with-times' : 'chart-area'}
      role="slider"
      tabIndex={0}
      aria-label={`${title}, instant`}
      aria-valuemin={0}
      aria-valuemax={Math.max(0, (series[0]?.values.length ?? 0) - 1)}
      aria-valuenow={Math.max(0, index)}
      aria-valuetext={valueText(props, index)}
      onPointerMove={point}
      onPointerLeave={() => {
        crosshair.value = null
      }}
      onKeyDown={turn}
    >
      <div class="chart-canvas" ref={host} />
      <div class="chart-crosshair" ref={mark} hidden />
    </div>
  )
}

function shownBucket(series: readonly ChartSeries[], from: number, stepMs: number, at: number | null): number {
  const count = series[0]?.values.length ?? 0
  return (at === null ? null : bucketAt(at, from, stepMs, count)) ?? latestBucket(series, count)
}

function valueText({ series, from, stepMs, format }: LineChartProps, index: number): string {
  const time = new Date(from + (index + 0.5) * stepMs).toLocaleTimeString()
  return `${time}: ${series.map(({ label, values }) => `${label} ${format(values[index] ?? null)}`).join(', ')}`
}

/** Where a key moves the crosshair to; undefined for keys that do not. */
function instantAfterKey(key: string, at: number | null, { from, stepMs, series }: PlotInput): number | null | undefined {
  const last = (series[0]?.values.length ?? 0) - 1
  const index = (at === null ? null : bucketAt(at, from, stepMs, last + 1)) ?? last + 1
  const moves: Readonly<Record<string, number>> = {
    ArrowLeft: index - 1,
    ArrowRight: index + 1,
    PageUp: index - 10,
    PageDown: index + 10,
    Home: 0,
    End: last,
  }
  if (key === 'Escape') return at === null ? undefined : null
  const next = Object.hasOwn(moves, key) ? moves[key] : undefined
  return next === undefined ? undefined : from + (Math.max(0, Math.min(last, next)) + 0.5) * stepMs
}
