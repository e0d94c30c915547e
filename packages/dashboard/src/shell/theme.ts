import { effect } from '@preact/signals'
import { theme, type Theme } from '../preferences.ts'

const next: Readonly<Record<Theme, Theme>> = { system: 'light', light: 'dark', dark: 'system' }

export const themeTexts: Readonly<Record<Theme, string>> = { system: 'as the system', light: 'light', dark: 'dark' }

/** Keeps the page in the colours the viewer has chosen. */
export function applyTheme(): void {
  effect(() => {
    document.documentElement.dataset['theme'] = theme.value
  })
}

export function nextTheme(): void {
  theme.value = next[theme.value]
}
