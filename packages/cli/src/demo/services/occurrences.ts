/** Counts how often each key has been seen, and forgets the keys that were new longest ago. */
export interface Occurrences {
  /** 1 when the key is new. */
  count(key: string): number
}

export function occurrences(maxKeys: number): Occurrences {
  const counts = new Map<string, number>()
  return {
    count: (key) => {
      const count = (counts.get(key) ?? 0) + 1
      counts.set(key, count)
      if (counts.size > maxKeys) counts.delete(counts.keys().next().value as string)
      return count
    },
  }
}
