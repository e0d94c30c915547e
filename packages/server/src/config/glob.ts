import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Whether a path holds `*` or `?`. */
export function isGlob(path: string): boolean {
  return /[*?]/.test(path)
}

/** Files below `directory` that match a relative pattern, sorted. `*` and `?` match within one name; hidden files only when named so. */
export function expandGlob(directory: string, pattern: string): readonly string[] {
  let found = [directory]
  const segments = pattern.split('/').filter((segment) => segment !== '' && segment !== '.')
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1
    found = isGlob(segment) ? found.flatMap((parent) => matchesIn(parent, segment, isLast)) : found.map((parent) => join(parent, segment))
  }
  return found.toSorted()
}

function matchesIn(parent: string, segment: string, wantsFile: boolean): string[] {
  const matches = nameMatcher(segment)
  try {
    return readdirSync(parent, { withFileTypes: true })
      .filter((entry) => (wantsFile ? !entry.isDirectory() : !entry.isFile()) && matches(entry.name))
      .map(({ name }) => join(parent, name))
  } catch {
    return []
  }
}

/** A test for one name. Linear: it never goes back behind the last `*`. */
export function nameMatcher(pattern: string): (name: string) => boolean {
  return (name) => {
    if (name.startsWith('.') && !pattern.startsWith('.')) return false
    let inPattern = 0
    let inName = 0
    let star = -1
    let starName = 0
    while (inName < name.length) {
      if (pattern[inPattern] === '*') {
        star = inPattern++
        starName = inName
      } else if (pattern[inPattern] === '?' || pattern[inPattern] === name[inName]) {
        inPattern++
        inName++
      } else if (star >= 0) {
        inPattern = star + 1
        inName = ++starName
      } else return false
    }
    while (pattern[inPattern] === '*') inPattern++
    return inPattern === pattern.length
  }
}
