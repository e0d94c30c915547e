/** Uniform numbers in [0, 1), as `Math.random` gives them. */
export type Random = () => number

/**
 * A repeatable {@link Random}: the same seed gives the same sequence on every machine.
 * SplitMix32 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014, 32-bit variant).
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32
  }
}
