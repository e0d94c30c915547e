/** 1234 → '1,234'. */
export function countText(count: number): string {
  return count.toLocaleString('en-US')
}

/** 0.975 → '97.5 %'; what nobody knows is '–'. Never rounds up to 100 % or down to 0 %. */
export function ratioText(ratio: number | null): string {
  if (ratio === null) return '–'
  const percent = ratio * 100
  if (percent > 99.9 && percent < 100) return '99.9 %'
  if (percent > 0 && percent < 0.1) return '0.1 %'
  return `${percent === 0 || percent === 100 ? percent : percent.toFixed(1)} %`
}

/** 850 → '850 ms', 14900 → '14.9 s'; what nobody knows is '–'. */
export function latencyText(ms: number | null): string {
  if (ms === null) return '–'
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`
}

/** 65000 → '1:05'. */
export function clockText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000))
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
