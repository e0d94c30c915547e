import { useSignalEffect } from '@preact/signals'
import { useRef } from 'preact/hooks'
import { surface } from '../chart/canvas.ts'
import { palette, type Palette } from '../chart/palette.ts'
import { drawLoad, drawRibbon, type Box } from '../chart/ribbon.ts'
import type { ShownState } from '../words/state-words.ts'

type Draw = (context: CanvasRenderingContext2D, box: Box, colors: Palette) => void

const span = { from: 0, until: 1 }

/** A piece of ribbon, as the wall draws it. */
export function RibbonSwatch({ state, isForced = false }: { readonly state: ShownState; readonly isForced?: boolean }) {
  return (
    <Swatch
      draw={(context, box, colors) =>
        drawRibbon(context, box, [{ from: 0, to: null, state, forced: isForced }], span, colors, devicePixelRatio)
      }
    />
  )
}

const sample = { from: 0, stepMs: 0.125, attempts: [3, 4, 8, 10, 9, 7, 5, 4], failures: [0, 0, 2, 6, 5, 2, 0, 0] }

/** A piece of the load-and-errors trace. */
export function LoadSwatch() {
  return <Swatch draw={(context, box, colors) => drawLoad(context, box, sample, span, colors)} />
}

function Swatch({ draw }: { readonly draw: Draw }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  useSignalEffect(() => {
    const colors = palette.value
    const area = canvas.current === null ? null : surface(canvas.current)
    if (area !== null) draw(area.context, { x: 0, y: 0, width: area.width, height: area.height }, colors)
  })
  return <canvas class="swatch-canvas" ref={canvas} aria-hidden="true" />
}
