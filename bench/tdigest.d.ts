/** tdigest has no types of its own; this is what the benchmark uses of it. */
declare module 'tdigest' {
  export class TDigest {
    push(value: number): void
    percentile(share: number): number | undefined
  }
}
