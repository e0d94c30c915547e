/** 1234 → '1,234' */
export const count = (value) => value.toLocaleString('en-US')

/** 0.975 → '97.5 %'; unknown is '–'. Never rounds up to 100 % or down to 0 %. */
export function ratio(value) {
  if (value === null || value === undefined) return '–'
  const percent = value * 100
  if (percent > 99.9 && percent < 100) return '99.9 %'
  if (percent > 0 && percent < 0.1) return '0.1 %'
  return `${percent === 0 || percent === 100 ? percent : percent.toFixed(1)} %`
}

/** 850 → '850 ms', 14900 → '14.9 s'; unknown is '–'. */
export function latency(ms) {
  if (ms === null || ms === undefined) return '–'
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`
}

/** 65000 → '1:05' */
export function clock(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1_000))
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

/** How long something has lasted: '8 s', '3 min', '2 h 5 min', '3 d'. */
export function lasted(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1_000))
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return `${hours} h ${minutes % 60} min`
  return `${Math.floor(hours / 24)} d`
}
