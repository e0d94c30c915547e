import type { BigIntStats } from 'node:fs'

/** The stamp of a file that is not there. */
export const noFile = 'none'

/** Differs whenever a file was written, replaced, or is another one. */
export function fileStamp({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`
}
