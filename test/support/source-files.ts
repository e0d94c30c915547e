import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'

/** Texts of the files below a folder whose path passes the filter, by their path relative to `base`, with `/` between folders. */
export function readSourceFiles(folder: string, base: string, keep: (path: string) => boolean): ReadonlyMap<string, string> {
  const files = new Map<string, string>()
  if (!existsSync(folder)) return files
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const absolute = join(entry.parentPath, entry.name)
    const path = relative(base, absolute).split(sep).join('/')
    if (entry.isFile() && keep(path)) files.set(path, readFileSync(absolute, 'utf8'))
  }
  return files
}
