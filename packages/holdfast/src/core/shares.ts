import type { Call } from './call.ts'
import { functionOption, invalidOption } from './options.ts'

/** A part of the callers, with the share of a capacity that it can always have. */
export class Share {
  readonly name: string
  readonly ratio: number
  /** Units in use now. */
  inUse = 0
  admitted = 0
  rejected = 0

  constructor(name: string, ratio: number) {
    this.name = name
    this.ratio = ratio
  }

  /** Units of the capacity that are guaranteed: at least one, if any share is. */
  guaranteed(capacity: number): number {
    return this.ratio === 0 ? 0 : Math.max(1, Math.floor(this.ratio * capacity))
  }

  /** Whether one more is within the guarantee. */
  hasRoom(capacity: number): boolean {
    return this.inUse < this.guaranteed(capacity)
  }
}

/** Figures of one share. */
export interface ShareStatus {
  readonly ratio: number
  readonly inUse: number
  readonly admitted: number
  readonly rejected: number
}

export interface ShareOptions {
  /** Share of the capacity by name of the partition; together at most 1. */
  readonly partitions?: Readonly<Record<string, number>>
  /** Which partition a call belongs to; calls of others only borrow. @defaultValue the call's `key` */
  readonly partitionOf?: (call: Call) => string | undefined
}

/** Guaranteed shares of a capacity. What one does not use the others may borrow; who comes back for its own has it at once. */
export class Shares {
  readonly all: readonly Share[]
  private readonly byName: ReadonlyMap<string, Share>
  private readonly others = new Share('', 0)
  private readonly partitionOf: ((call: Call) => string | undefined) | undefined

  constructor(ratios: Readonly<Record<string, number>>, partitionOf: ((call: Call) => string | undefined) | undefined) {
    const named = Object.entries(ratios).map(([name, ratio]) => new Share(name, ratio))
    this.byName = new Map(named.map((share) => [share.name, share]))
    this.all = [...named, this.others]
    this.partitionOf = partitionOf
  }

  /** The share a call draws on; a `partitionOf` that throws makes it one of the others. */
  of(call: Call): Share {
    let name: string | undefined
    try {
      name = this.partitionOf === undefined ? call.key : this.partitionOf(call)
    } catch {
      return this.others
    }
    return (name === undefined ? undefined : this.byName.get(name)) ?? this.others
  }

  /** Ratios by name. */
  get ratios(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.all.filter((share) => share !== this.others).map(({ name, ratio }) => [name, ratio]))
  }

  status(): Readonly<Record<string, ShareStatus>> {
    return Object.fromEntries(
      this.all
        .filter((share) => share !== this.others || share.admitted + share.rejected > 0)
        .map(({ name, ratio, inUse, admitted, rejected }) => [name === '' ? '(others)' : name, { ratio, inUse, admitted, rejected }]),
    )
  }
}

/** Checked {@link ShareOptions}; undefined without partitions. */
export function sharesOption(owner: string, { partitions, partitionOf }: ShareOptions): Shares | undefined {
  functionOption(owner, 'partitionOf', partitionOf)
  if (partitions === undefined) {
    if (partitionOf === undefined) return undefined
    throw invalidOption(owner, 'partitions', partitions, 'given together with partitionOf: a share for each name')
  }
  const isTable = typeof partitions === 'object' && partitions !== null && !Array.isArray(partitions)
  const ratios: readonly unknown[] = isTable ? Object.values(partitions) : []
  if (ratios.length === 0) throw invalidOption(owner, 'partitions', partitions, 'shares by name, such as { live: 0.9, batch: 0.1 }')
  let sum = 0
  for (const [name, ratio] of Object.entries(partitions as Record<string, unknown>)) {
    if (typeof ratio !== 'number' || !(ratio >= 0 && ratio <= 1))
      throw invalidOption(owner, `partitions.${name}`, ratio, 'a share from 0 to 1 (0.5 is 50 %)')
    sum += ratio
  }
  if (sum > 1 + 1e-9) throw invalidOption(owner, 'partitions', sum, 'shares that are 1 together, or less')
  return new Shares(partitions, partitionOf)
}
