import { computed, signal } from '@preact/signals'
import { cssColor, onColorsChange } from './css-color.ts'

const names = [
  'ground',
  'line',
  'forced',
  'trace',
  'trace-fill',
  'trace-failed',
  'ribbon-closed',
  'ribbon-half-open',
  'ribbon-half-open-ink',
  'ribbon-open',
  'ribbon-open-ink',
  'ribbon-isolated',
  'ribbon-isolated-ink',
  'ribbon-paused',
  'ribbon-paused-ink',
  'ribbon-disabled',
  'ribbon-disabled-ink',
  'ribbon-nothing',
] as const

export type PaletteName = (typeof names)[number]
export type Palette = Readonly<Record<PaletteName, string>>

const changes = signal(0)
let isFollowing = false

/** The colours of the style sheet as canvases take them. Those who draw with it draw anew when it changes. */
export const palette = computed<Palette>(() => {
  void changes.value
  if (!isFollowing) {
    isFollowing = true
    onColorsChange(() => changes.value++)
  }
  return Object.fromEntries(names.map((name) => [name, cssColor(`var(--${name})`)])) as Palette
})
