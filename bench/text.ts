import type { Case } from './case.ts'

const units: Readonly<Record<Case['unit'], string>> = { ns: 'ns', bytes: 'bytes', '%': '%' }

/** A figure with its unit. */
export function amount(value: number, unit: Case['unit']): string {
  return `${number(value, unit)} ${units[unit]}`
}

export function number(value: number, unit: Case['unit']): string {
  if (unit === '%') return value.toFixed(2)
  return value !== 0 && Math.abs(value) < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en-US')
}

export function ratio(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (value >= 10) return value.toFixed(0)
  return value < 0.1 ? value.toFixed(3) : value.toFixed(2)
}
