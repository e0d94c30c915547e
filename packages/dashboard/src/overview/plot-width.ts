import { signal } from '@preact/signals'

const width = signal(0)
const observer = new ResizeObserver((entries) => {
  const measured = entries.at(-1)?.contentRect.width
  if (measured !== undefined) width.value = measured
})

/** The width of the ribbons, all alike: who draws one draws anew when it changes. */
export const plotWidth = {
  get value(): number {
    return width.value
  },
  /** Returns what ends it. */
  follow(element: Element): () => void {
    observer.observe(element)
    return () => observer.unobserve(element)
  },
}
