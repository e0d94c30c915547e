import { withoutCredentials } from './secrets.ts'
import type { WrittenSetting, WrittenValue } from './written-config.ts'

const longestShown = 500

/** A setting's value as it may be shown, on one line and of bounded length. */
export function shownSetting({ value, isSecret }: WrittenSetting): string {
  if (isSecret) return '***'
  const text = textOf(value).replace(/\s+/g, ' ')
  return text.length > longestShown ? `${text.slice(0, longestShown - 1)}…` : text
}

function textOf(value: WrittenValue): string {
  if (Array.isArray(value)) return `[${value.map((item: WrittenValue) => textOf(item)).join(', ')}]`
  return withoutCredentials(String(value))
}
