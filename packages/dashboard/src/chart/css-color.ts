/**
 * A colour of the style sheet (`var(--ok)`) as a canvas takes it: custom properties, `light-dark()` and system colours are resolved
 * for the scheme in force now. Read anew for each drawing.
 */
export function cssColor(color: string): string {
  const probe = probeElement()
  probe.style.color = color
  return getComputedStyle(probe).color
}

let probe: HTMLElement | undefined

function probeElement(): HTMLElement {
  if (probe?.isConnected === true) return probe
  probe = document.createElement('span')
  probe.hidden = true
  probe.setAttribute('aria-hidden', 'true')
  probe.style.forcedColorAdjust = 'none'
  document.body.append(probe)
  return probe
}

const colorQueries = ['(prefers-color-scheme: dark)', '(forced-colors: active)']

/** Calls when the page's colours change: canvases do not follow by themselves. Returns what ends it. */
export function onColorsChange(repaint: () => void): () => void {
  const queries = colorQueries.map((query) => matchMedia(query))
  for (const query of queries) query.addEventListener('change', repaint)
  const themes = new MutationObserver(repaint)
  themes.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme', 'class', 'style'] })
  return () => {
    for (const query of queries) query.removeEventListener('change', repaint)
    themes.disconnect()
  }
}
