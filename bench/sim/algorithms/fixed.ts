import type { ConcurrencyAlgorithm } from '../concurrency-algorithm.ts'

/** A limit that somebody chose. */
export class FixedLimit implements ConcurrencyAlgorithm {
  private readonly value: number
  constructor(value: number) {
    this.value = value
  }
  limit(): number {
    return this.value
  }
  ended(): void {
    // nothing is learned
  }
}
