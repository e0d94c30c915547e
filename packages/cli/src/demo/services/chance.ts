import { createHash } from 'node:crypto'

/**
 * A number in [0, 1) that depends on the seed and the words alone: not on the order in which requests happen to arrive. So the
 * same task meets the same luck in both lanes, and in every run.
 */
export function chance(seed: number, ...words: readonly (string | number)[]): number {
  const digest = createHash('sha256')
    .update(`${seed}\n${words.join('\n')}`)
    .digest()
  return digest.readUInt32BE(0) / 2 ** 32
}

/** {@link chance} spread over a range. */
export function chanceBetween(min: number, max: number, drawn: number): number {
  return min + drawn * (max - min)
}
