/** The middle one of several runs. */
export function median(values: readonly number[]): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).toSorted((one, other) => one - other)
  if (sorted.length === 0) return Number.NaN
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}

export function percent(share: number, digits = 1): string {
  return Number.isNaN(share) ? '–' : (share * 100).toFixed(digits)
}

export function ms(value: number): string {
  return Number.isNaN(value) ? '–' : Math.round(value).toLocaleString('en-US')
}

export function times(value: number): string {
  if (Number.isNaN(value)) return '–'
  return value >= 10 ? value.toFixed(0) : value.toFixed(2)
}

export function table(titles: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  return [
    `| ${titles.join(' | ')} |`,
    `| --- |${' ---: |'.repeat(titles.length - 1)}`,
    ...rows.map((cells) => `| ${cells.join(' | ')} |`),
    '',
  ]
}
