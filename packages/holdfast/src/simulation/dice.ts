/**
 * Chance that belongs to a thing rather than to a moment: the same seed, thing and occasion always roll the same numbers, whatever
 * else is rolled in between. So the third request asks for the same work under every policy that is compared.
 * The mixing steps are those of SplitMix32, as in `seededRandom`.
 */
export class Dice {
  private state = 0
  private readonly seed: number

  constructor(seed: number) {
    this.seed = mix(seed >>> 0)
  }

  /** Begins the sequence of one thing on one occasion. */
  take(thing: number, occasion: number): this {
    this.state = mix((mix((this.seed + thing) >>> 0) + occasion) >>> 0)
    return this
  }

  /** The next number of the sequence, in [0, 1). */
  readonly roll = (): number => {
    this.state = (this.state + 0x9e3779b9) >>> 0
    return mix(this.state) / 2 ** 32
  }
}

function mix(value: number): number {
  let mixed = value
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
  return (mixed ^ (mixed >>> 15)) >>> 0
}
