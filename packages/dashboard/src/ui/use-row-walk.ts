import type { Signal } from '@preact/signals'
import type { RefObject } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { addRowWalk } from '../shell/row-keys.ts'

export interface RowWalkOptions {
  /** The element whose top is the top of the first row. Rows in it carry `data-row` with their name and hold a link. */
  readonly list: RefObject<HTMLElement | null>
  /** Names of all rows, also of those that are not rendered. */
  readonly names: readonly string[]
  readonly rowHeight: number
  /** Set while the focus or the pointer is inside. */
  readonly isHeld: Signal<boolean>
}

export interface RowFocus {
  /** The row that has the focus. It must stay rendered, wherever it is. */
  readonly focused: string | null
  onFocusIn(event: FocusEvent): void
  onFocusOut(event: FocusEvent): void
  /** The pointer is over a row, or has left them all. */
  hold(isOver: boolean): void
}

/** What a head that sticks to the top may hide. */
const headHeight = 64
/** Until a row that was far away is there. */
const framesToRender = 20

/** Lets `j` and `k` walk through the rows of a virtual list, and knows which one has the focus. */
export function useRowWalk({ list, names, rowHeight, isHeld }: RowWalkOptions): RowFocus {
  const focused = useRef<string | null>(null)
  /** Where keys have led to, while that row is not rendered yet. */
  const heading = useRef<string | null>(null)
  const latest = useRef({ names, rowHeight })
  latest.current = { names, rowHeight }
  useEffect(() => {
    let frame = 0
    const arrive = (triesLeft: number): void => {
      frame = 0
      const name = heading.current
      const link = name === null ? null : list.current?.querySelector<HTMLElement>(`[data-row="${CSS.escape(name)}"] a`)
      if (link != null) link.focus({ preventScroll: true })
      else if (triesLeft > 0) frame = requestAnimationFrame(() => arrive(triesLeft - 1))
      else heading.current = null
    }
    const move = (by: number): void => {
      const { names: all, rowHeight: height } = latest.current
      const place = all.indexOf(heading.current ?? focused.current ?? '')
      const next = place < 0 ? 0 : Math.max(0, Math.min(all.length - 1, place + by))
      heading.current = all[next] ?? null
      if (list.current !== null) scrollToRow(list.current, next * height, height)
      cancelAnimationFrame(frame)
      arrive(framesToRender)
    }
    const end = addRowWalk({ move })
    return () => {
      end()
      cancelAnimationFrame(frame)
      isHeld.value = false
    }
  }, [])
  return {
    get focused() {
      return focused.current
    },
    onFocusIn: (event) => {
      focused.current = rowOf(event.target)
      heading.current = null
      isHeld.value = true
    },
    onFocusOut: (event) => {
      if (rowOf(event.relatedTarget) !== null) return
      focused.current = null
      isHeld.value = false
    },
    hold: (isOver) => (isHeld.value = isOver || focused.current !== null),
  }
}

/** Places of the rows to render: those near the viewport, and the one with the focus. */
export function renderedRows({ from, until }: { readonly from: number; readonly until: number }, focusedPlace: number): readonly number[] {
  const rows = Array.from({ length: until - from }, (_, index) => from + index)
  if (focusedPlace < 0 || (focusedPlace >= from && focusedPlace < until)) return rows
  return focusedPlace < from ? [focusedPlace, ...rows] : [...rows, focusedPlace]
}

function rowOf(target: EventTarget | null): string | null {
  return target instanceof Element ? (target.closest<HTMLElement>('[data-row]')?.dataset['row'] ?? null) : null
}

function scrollToRow(list: HTMLElement, offset: number, height: number): void {
  const top = list.getBoundingClientRect().top + offset
  if (top < headHeight) scrollBy(0, top - headHeight)
  else if (top + height > innerHeight) scrollBy(0, top + height - innerHeight + 8)
}
