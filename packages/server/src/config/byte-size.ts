const unitBytes: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1_000,
  KB: 1_000,
  MB: 1_000_000,
  GB: 1_000_000_000,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
}

/** Bytes of `'512KiB'`, `'1MiB'`, `'10MB'` or `'200B'`; undefined when the text is no size or no whole number of bytes. */
export function parseByteSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([kKMG]i?B|B)$/.exec(text)
  if (match === null) return undefined
  const unit = unitBytes[match[2] ?? '']
  if (unit === undefined) return undefined
  const bytes = Number(match[1]) * unit
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** The shortest exact way to write a number of bytes. */
export function formatByteSize(bytes: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB'] as const) {
    const size = bytes / (unitBytes[unit] ?? 1)
    if (size >= 1 && Number.isInteger(size)) return `${size}${unit}`
  }
  return `${bytes}B`
}

const otherSpellings: Readonly<Record<string, string>> = {
  b: 'B',
  k: 'KiB',
  kb: 'kB',
  kib: 'KiB',
  m: 'MiB',
  mb: 'MB',
  mib: 'MiB',
  g: 'GiB',
  gb: 'GB',
  gib: 'GiB',
}

/** A size that was probably meant by something that is none. */
export function suggestByteSize(text: string): string | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*$/i.exec(text)
  const unit = otherSpellings[match?.[2]?.toLowerCase() ?? '']
  return match === null || unit === undefined ? undefined : `${match[1]}${unit}`
}
