import uPlot from 'uplot'
import type { TimeSpan } from '../time-axis.ts'
import { bucketTimes, linearScale, logScale, logTicks, stacked, type ChartLimit, type ChartSeries } from './chart-data.ts'
import { stripes } from './canvas.ts'
import { cssColor, onColorsChange } from './css-color.ts'

export interface PlotInput {
  /** The shown stretch of time, epoch ms. */
  readonly span: TimeSpan
  /** Start of the first bucket, epoch ms. */
  readonly from: number
  readonly stepMs: number
  readonly series: readonly ChartSeries[]
  readonly limits: readonly ChartLimit[]
  readonly scale: 'linear' | 'logarithmic'
  readonly formatRound: (value: number | null) => string
  readonly hasTimes: boolean
}

/** Width of the labels of the value axis: the same for everything on one time axis, so that instants stand below one another. */
const gutterPx = 56
const timesPx = 22
const leastOnScale = 1

/** One drawn chart. Its owner tells it of new data and disposes of it; it watches its own size and the page's colours. */
export class Plot {
  private readonly host: HTMLElement
  private readonly plot: uPlot
  private readonly ends: (() => void)[] = []
  private input: PlotInput
  private drawn: (number | null)[][]

  constructor(host: HTMLElement, input: PlotInput) {
    this.host = host
    this.input = input
    this.drawn = stacked(input.series)
    this.plot = new uPlot(this.options(), this.data(), host)
    this.ends.push(
      onColorsChange(() => this.plot.redraw(false)),
      this.watchSize(),
    )
  }

  /** Only for the same series as before, by number and form. */
  update(input: PlotInput): void {
    this.input = input
    this.drawn = stacked(input.series)
    this.plot.setData(this.data())
  }

  /** In CSS pixels from the left edge of the host; null outside of what is shown. */
  leftOf(at: number): number | null {
    const { from, until } = this.input.span
    if (at < from || at > until) return null
    return this.plot.over.offsetLeft + this.plot.valToPos(at / 1_000, 'x')
  }

  /** The instant under a pointer; null outside of what is shown. */
  instantAt(clientX: number): number | null {
    const box = this.plot.over.getBoundingClientRect()
    const left = clientX - box.left
    return left < 0 || left > box.width ? null : this.plot.posToVal(left, 'x') * 1_000
  }

  destroy(): void {
    for (const end of this.ends.splice(0)) end()
    this.plot.destroy()
  }

  private data(): uPlot.AlignedData {
    const { from, stepMs, series } = this.input
    const times = bucketTimes(from, stepMs, series[0]?.values.length ?? 0)
    return [times, ...order(series).map((index) => this.drawn[index] ?? [])]
  }

  /** Sizes are read between frames and set once per change, so that the observer cannot chase itself. */
  private watchSize(): () => void {
    let frame = 0
    const observer = new ResizeObserver(() => {
      cancelAnimationFrame(frame)
      frame = requestAnimationFrame(() => {
        const { width, height } = sizeOf(this.host)
        if (width !== this.plot.width || height !== this.plot.height) this.plot.setSize({ width, height })
      })
    })
    observer.observe(this.host)
    return () => {
      cancelAnimationFrame(frame)
      observer.disconnect()
    }
  }

  private options(): uPlot.Options {
    const isLogarithmic = this.input.scale === 'logarithmic'
    return {
      ...sizeOf(this.host),
      padding: [8, 0, this.input.hasTimes ? 0 : 7, 0],
      cursor: { show: false },
      legend: { show: false },
      scales: {
        x: { time: true, auto: false, range: () => [this.input.span.from / 1_000, this.input.span.until / 1_000] },
        // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- the enum is declared, but does not exist at run time
        y: { distr: isLogarithmic ? 3 : 1, range: () => this.valueRange() },
      },
      axes: [this.timeAxis(), this.valueAxis(isLogarithmic)],
      series: [{}, ...order(this.input.series).map((index) => this.seriesOptions(index))],
      hooks: { draw: [() => this.drawLimits()] },
    }
  }

  private valueRange(): [number, number] {
    const { limits, scale } = this.input
    const { min, max } = scale === 'logarithmic' ? logScale(this.drawn, limits) : linearScale(this.drawn, limits, leastOnScale)
    return [min, max]
  }

  private timeAxis(): uPlot.Axis {
    const { hasTimes } = this.input
    return {
      stroke: () => cssColor('var(--quiet)'),
      grid: { stroke: () => cssColor('var(--line)'), width: 1 },
      ticks: { show: false },
      font: '11px system-ui, sans-serif',
      size: hasTimes ? timesPx : 0,
      gap: 4,
      space: 80,
      values: (_plot, splits) => (hasTimes ? splits.map((second) => this.timeText(second * 1_000)) : splits.map(() => '')),
    }
  }

  private valueAxis(isLogarithmic: boolean): uPlot.Axis {
    return {
      stroke: () => cssColor('var(--quiet)'),
      grid: { stroke: () => cssColor('var(--line)'), width: 1 },
      ticks: { show: false },
      font: '11px system-ui, sans-serif',
      size: gutterPx,
      gap: 6,
      space: 28,
      values: (_plot, splits) => splits.map((value) => this.input.formatRound(value)),
      ...(isLogarithmic
        ? { splits: (_plot, _axis, min, max) => logTicks(min, max), filter: (_plot, splits) => splits }
        : { incrs: wholeSteps }),
    }
  }

  private seriesOptions(index: number): uPlot.Series {
    const series = (): ChartSeries => this.input.series[index] as ChartSeries
    const { form, dash, width = 1.25 } = series()
    const isArea = form === 'area'
    return {
      stroke: () => cssColor(series().color),
      ...(isArea ? { fill: (plot) => areaFill(plot.ctx, series()) } : {}),
      width: isArea ? 0 : width,
      ...(dash === undefined ? {} : { dash: [...dash] }),
      ...(isArea && bars !== undefined ? { paths: bars } : {}),
      points: { show: false },
      spanGaps: false,
    }
  }

  private timeText(at: number): string {
    const { from, until } = this.input.span
    if (at < from || at > until - (until - from) * 0.015) return ''
    return timeOfDay.format(at)
  }

  /** Lines at limits, each with its name; a limit above the scale is named at the upper edge. */
  private drawLimits(): void {
    const { ctx, bbox } = this.plot
    const scale = devicePixelRatio
    const { limits, formatRound } = this.input
    ctx.save()
    ctx.beginPath()
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
    ctx.clip()
    ctx.strokeStyle = ctx.fillStyle = cssColor('var(--text)')
    ctx.lineWidth = scale
    ctx.font = `${11 * scale}px system-ui, sans-serif`
    ctx.textAlign = 'right'
    let aboveEdge = 0
    for (const { label, value } of limits) {
      const top = this.plot.valToPos(value, 'y', true)
      const isAbove = top < bbox.top
      if (isAbove) {
        ctx.textBaseline = 'top'
        halo(ctx, `${label} ${formatRound(value)} ↑`, bbox.left + bbox.width - 4 * scale, bbox.top + (1 + 13 * aboveEdge++) * scale)
        continue
      }
      const y = Math.round(top) + 0.5
      ctx.setLineDash([6 * scale, 3 * scale])
      ctx.beginPath()
      ctx.moveTo(bbox.left, y)
      ctx.lineTo(bbox.left + bbox.width, y)
      ctx.stroke()
      const hasRoomAbove = y - bbox.top > 15 * scale
      ctx.textBaseline = hasRoomAbove ? 'bottom' : 'top'
      halo(ctx, `${label} ${formatRound(value)}`, bbox.left + bbox.width - 4 * scale, y + (hasRoomAbove ? -2 : 3) * scale)
    }
    ctx.restore()
  }
}

const bars = uPlot.paths.bars?.({ size: [1, Infinity], gap: 0.5 })

/** Areas from the outermost sum inwards, so that each covers only its own share; lines above them. */
function order(series: readonly ChartSeries[]): number[] {
  const places = series.map((_, index) => index)
  return [
    ...places.filter((index) => series[index]?.form === 'area').toReversed(),
    ...places.filter((index) => series[index]?.form === 'line'),
  ]
}

const wholeSteps = [0.1, 0.2, 0.5, ...[1, 10, 100, 1_000, 10_000, 100_000].flatMap((unit) => [unit, 2 * unit, 5 * unit])]
const timeOfDay = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hour12: false })

function sizeOf(host: HTMLElement): { readonly width: number; readonly height: number } {
  return { width: Math.max(gutterPx + 40, host.clientWidth), height: Math.max(40, host.clientHeight) }
}

function areaFill(context: CanvasRenderingContext2D, { color, isStriped = false }: ChartSeries): string | CanvasPattern {
  return isStriped ? stripes(context, cssColor(color), cssColor('var(--ground)')) : cssColor(color)
}

/** Text with an edge of the page's colour, legible upon lines and areas. */
function halo(context: CanvasRenderingContext2D, text: string, x: number, y: number): void {
  context.save()
  context.setLineDash([])
  context.strokeStyle = cssColor('var(--ground)')
  context.lineWidth = 3 * devicePixelRatio
  context.lineJoin = 'round'
  context.strokeText(text, x, y)
  context.restore()
  context.fillText(text, x, y)
}
