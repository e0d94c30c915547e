import type { Figure, Role } from './case.ts'

export function figureOf(contestant: string, role: Role, samples: readonly number[]): Figure {
  const median = medianOf(samples)
  return { contestant, role, median, deviation: medianOf(samples.map((sample) => Math.abs(sample - median))) }
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}
