import type { ConcurrencyAlgorithm, LimitBounds } from './algorithm.ts'

/** Stays at `initialLimit`: a baseline to compare with, and a way to switch adaptation off without changing the policy. */
export class FixedLimit implements ConcurrencyAlgorithm {
  readonly name = 'fixed'
  readonly limit: number

  constructor({ initialLimit }: LimitBounds) {
    this.limit = initialLimit
  }

  onSample(): void {
    // nothing changes it
  }
}
