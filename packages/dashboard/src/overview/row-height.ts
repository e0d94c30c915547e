import { useEffect, useState } from 'preact/hooks'
import { useMedia } from '../ui/use-media.ts'

export type Density = 'roomy' | 'dense' | 'stacked'

export interface RowLayout {
  readonly density: Density
  readonly rowHeight: number
}

export const narrow = '(max-width: 720px)'

const stackedHeight = 78
const mostHeight = 44
const leastHeight = 30
/** A row of this height has room for two lines. */
const roomyFrom = 40
/** What stands above the first row, with a sentence of two lines, and below the last. */
const aboveRows = 196

/** Rows as high as lets all of them fit on the screen, between 44 and 30 px; on a narrow screen their parts are stacked. */
export function useRowLayout(count: number): RowLayout {
  const isNarrow = useMedia(narrow)
  const [height, setHeight] = useState(innerHeight)
  useEffect(() => {
    const update = (): void => setHeight(innerHeight)
    addEventListener('resize', update)
    return () => removeEventListener('resize', update)
  }, [])
  if (isNarrow) return { density: 'stacked', rowHeight: stackedHeight }
  const rowHeight = Math.max(leastHeight, Math.min(mostHeight, Math.floor((height - aboveRows) / Math.max(1, count))))
  return { density: rowHeight >= roomyFrom ? 'roomy' : 'dense', rowHeight }
}
