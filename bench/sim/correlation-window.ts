const size = 50
const warmUp = 10
/** What varies less is taken for constant. */
const minVariation = 0.01

export interface CorrelationFigures {
  /** Pearson's coefficient; 0 while there is too little to tell. */
  readonly correlation: number
  /** Standard deviation of the second figure as a share of its mean. */
  readonly variation: number
}

/** How two figures went together in the last 50 windows. */
export class CorrelationWindow {
  private pairs: (readonly [number, number])[] = []

  add(one: number, other: number): CorrelationFigures {
    this.pairs.push([one, other])
    if (this.pairs.length > size) this.pairs.shift()
    const count = this.pairs.length
    let [sumOne, sumOther, squaresOne, squaresOther, products] = [0, 0, 0, 0, 0]
    for (const [x, y] of this.pairs) {
      sumOne += x
      sumOther += y
      squaresOne += x * x
      squaresOther += y * y
      products += x * y
    }
    const deviationOne = Math.sqrt(Math.max(0, squaresOne / count - (sumOne / count) ** 2))
    const deviationOther = Math.sqrt(Math.max(0, squaresOther / count - (sumOther / count) ** 2))
    const variation = deviationOther / (sumOther / count)
    if (count < warmUp) return { correlation: 0, variation: 0 }
    if (variation < minVariation || deviationOne / (sumOne / count) < minVariation) return { correlation: 0, variation }
    const covariance = products / count - (sumOne / count) * (sumOther / count)
    return { correlation: covariance / (deviationOne * deviationOther), variation }
  }
}
