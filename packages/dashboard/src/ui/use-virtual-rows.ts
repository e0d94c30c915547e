import { useLayoutEffect, useState } from 'preact/hooks'
import type { RefObject } from 'preact'

/** Places of the rows that are to be rendered: `from` up to, not including, `until`. */
export interface VirtualRows {
  readonly from: number
  readonly until: number
}

const overscan = 4
/** Before anything was measured: about a screen. */
const firstGuess = 40

/** The rows of a list of equal rows that are near the viewport. `list`: the element whose top is the top of the first row. */
export function useVirtualRows(list: RefObject<HTMLElement | null>, count: number, rowHeight: number): VirtualRows {
  const [rows, setRows] = useState<VirtualRows>({ from: 0, until: firstGuess })
  useLayoutEffect(() => {
    let frame = 0
    const measure = (): void => {
      frame = 0
      if (list.current === null) return
      const top = -list.current.getBoundingClientRect().top
      const from = Math.max(0, Math.min(count, Math.floor(top / rowHeight) - overscan))
      const until = Math.max(from, Math.min(count, Math.ceil((top + innerHeight) / rowHeight) + overscan))
      setRows((known) => (known.from === from && known.until === until ? known : { from, until }))
    }
    const measureSoon = (): void => {
      frame ||= requestAnimationFrame(measure)
    }
    measure()
    addEventListener('scroll', measureSoon, { passive: true })
    addEventListener('resize', measureSoon)
    return () => {
      cancelAnimationFrame(frame)
      removeEventListener('scroll', measureSoon)
      removeEventListener('resize', measureSoon)
    }
  }, [count, rowHeight])
  return { from: Math.min(rows.from, count), until: Math.min(rows.until, count) }
}
