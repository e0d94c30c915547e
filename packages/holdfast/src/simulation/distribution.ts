import { invalidOption, numberOption } from '../core/options.ts'
import type { Random } from '../core/random.ts'

/** How long something takes, in ms, as data. */
export type Distribution =
  | { readonly kind: 'constant'; readonly ms: number }
  | { readonly kind: 'uniform'; readonly fromMs: number; readonly toMs: number }
  | { readonly kind: 'exponential'; readonly meanMs: number }
  /** The logarithm is normal with standard deviation `sigma`; the median is meanMs / exp(sigma² / 2). */
  | { readonly kind: 'lognormal'; readonly meanMs: number; readonly sigma: number }
  /** One of several, by weight: two modes, or a rare slow case. */
  | { readonly kind: 'mix'; readonly of: readonly { readonly weight: number; readonly is: Distribution }[] }

export function exponential(random: Random): number {
  return -Math.log(1 - random())
}

/** A standard normal number (Box and Muller, 1958). */
function normal(random: Random): number {
  return Math.sqrt(2 * exponential(random)) * Math.cos(2 * Math.PI * random())
}

/** A duration in ms, from numbers in [0, 1). */
export function sample(distribution: Distribution, random: Random): number {
  switch (distribution.kind) {
    case 'constant':
      return distribution.ms
    case 'uniform':
      return distribution.fromMs + (distribution.toMs - distribution.fromMs) * random()
    case 'exponential':
      return distribution.meanMs * exponential(random)
    case 'lognormal':
      return distribution.meanMs * Math.exp(distribution.sigma * normal(random) - distribution.sigma ** 2 / 2)
    case 'mix':
      return sample(choose(distribution.of, random), random)
  }
}

type Weighted = readonly { readonly weight: number; readonly is: Distribution }[]

function totalWeight(list: Weighted): number {
  return list.reduce((sum, { weight }) => sum + weight, 0)
}

function choose(list: Weighted, random: Random): Distribution {
  let left = random() * totalWeight(list)
  for (const { weight, is } of list) {
    left -= weight
    if (left < 0) return is
  }
  return (list.at(-1) as Weighted[number]).is
}

/** @throws HoldfastError `ERR_INVALID_OPTION` */
export function checkDistribution(owner: string, option: string, distribution: Distribution): void {
  switch (distribution?.kind) {
    case 'constant':
      numberOption(owner, `${option}.ms`, distribution.ms)
      return
    case 'uniform':
      numberOption(owner, `${option}.fromMs`, distribution.fromMs)
      numberOption(owner, `${option}.toMs`, distribution.toMs, { min: distribution.fromMs })
      return
    case 'exponential':
      numberOption(owner, `${option}.meanMs`, distribution.meanMs)
      return
    case 'lognormal':
      numberOption(owner, `${option}.meanMs`, distribution.meanMs)
      numberOption(owner, `${option}.sigma`, distribution.sigma, { max: 10 })
      return
    case 'mix':
      if (!Array.isArray(distribution.of) || totalWeight(distribution.of) <= 0) {
        throw invalidOption(owner, `${option}.of`, distribution.of, 'a list of { weight, is } with a weight above 0')
      }
      for (const [index, { weight, is }] of distribution.of.entries()) {
        numberOption(owner, `${option}.of[${index}].weight`, weight)
        checkDistribution(owner, `${option}.of[${index}].is`, is)
      }
      return
    default:
      throw invalidOption(owner, option, distribution, "{ kind: 'constant' | 'uniform' | 'exponential' | 'lognormal' | 'mix', … }")
  }
}
