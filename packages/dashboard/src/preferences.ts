import { effect, signal, type Signal } from '@preact/signals'

export type Theme = 'system' | 'light' | 'dark'
export type TimeStyle = 'relative' | 'absolute'

/** Kept in this browser only. */
export const theme = kept<Theme>('theme', ['system', 'light', 'dark'])
export const timeStyle = kept<TimeStyle>('time', ['relative', 'absolute'])

/** A choice that outlives the page; the first of the values is the default. */
export function kept<T extends string>(name: string, values: readonly [T, ...T[]]): Signal<T> {
  const key = `holdfast.${name}`
  const found = values.find((value) => value === read(key))
  const choice = signal<T>(found ?? values[0])
  effect(() => write(key, choice.value))
  return choice
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null // a browser may refuse storage altogether
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch {
    return
  }
}
