import type { Declaration, MetricKind } from './declaration.ts'
import type { Detachable } from './handles.ts'
import { labelText, overflowLabels, plainLabels, type LabelValues } from './label-text.ts'
import { scopeOption, type MetricScope, type Scope } from './scope.ts'

/** A metric with one series per label set. */
export interface Metric<Handle, Names extends string = string> {
  readonly kind: MetricKind
  readonly name: string
  readonly help: string
  readonly labelNames: readonly string[]
  /** Series kept, the one for overflow included. */
  readonly size: number
  /**
   * The handle of one series, which is made when first asked for. Ask once and keep it: this costs a look-up, writing to it does not.
   * Beyond `maxSeries` it is the handle of the `__overflow__` series. With a scope, the series lives as long as one of its scopes.
   * @throws HoldfastError `ERR_INVALID_ARGUMENT` when a label is missing or unknown.
   */
  labels(values: LabelValues<Names>, scope?: MetricScope): Handle
  /** Takes the series of a label set out; its handles write nowhere from now on. Says whether there was one. */
  remove(values: LabelValues<Names>): boolean
}

/** One series as it is written out. */
export interface Series<Handle> {
  /** `name="value",…` */
  readonly text: string
  readonly labels: Readonly<Record<string, string>>
  readonly handle: Handle
}

interface OwnedSeries<Handle> extends Series<Handle> {
  /** Undefined: it belongs to nobody and stays until it is removed. */
  owners: Map<Scope, () => void> | undefined
}

/** Keeps the series of one metric within their limit. */
export class Family<Handle extends Detachable, Names extends string = string> implements Metric<Handle, Names> {
  readonly declaration: Declaration
  private readonly make: () => Handle
  private readonly onOverflow: () => void
  private readonly byText = new Map<string, OwnedSeries<Handle>>()
  private readonly overflowText: string
  private overflow: Series<Handle> | undefined = undefined

  constructor(declaration: Declaration, make: () => Handle, onOverflow: () => void) {
    this.declaration = declaration
    this.make = make
    this.onOverflow = onOverflow
    this.overflowText = labelText(declaration.name, declaration.labelNames, overflowLabels(declaration.labelNames))
    if (declaration.labelNames.length === 0) this.labels({} as LabelValues<Names>)
  }

  get kind(): MetricKind {
    return this.declaration.kind
  }

  get name(): string {
    return this.declaration.name
  }

  get help(): string {
    return this.declaration.help
  }

  get labelNames(): readonly string[] {
    return this.declaration.labelNames
  }

  get size(): number {
    return this.byText.size + (this.overflow === undefined ? 0 : 1)
  }

  labels(values: LabelValues<Names>, scope?: MetricScope): Handle {
    const { name, labelNames, maxSeries } = this.declaration
    const owner = scopeOption(name, scope)
    const text = labelText(name, labelNames, values)
    if (owner?.disposed) return this.detachedHandle()
    let series = this.byText.get(text)
    if (series === undefined) {
      const isOverflow = labelNames.length > 0 && text === this.overflowText
      if (isOverflow || this.byText.size >= maxSeries) return this.overflowHandle()
      series = { text, labels: plainLabels(labelNames, values), handle: this.make(), owners: owner && new Map() }
      this.byText.set(text, series)
    }
    this.own(series, owner)
    return series.handle
  }

  remove(values: LabelValues<Names>): boolean {
    const text = labelText(this.name, this.labelNames, values)
    const series = this.byText.get(text)
    if (series !== undefined) this.drop(series)
    else if (this.overflow === undefined || text !== this.overflowText) return false
    else {
      this.overflow.handle.detach()
      this.overflow = undefined
    }
    return true
  }

  *series(): Generator<Series<Handle>> {
    yield* this.byText.values()
    if (this.overflow !== undefined) yield this.overflow
  }

  private own(series: OwnedSeries<Handle>, owner: Scope | undefined): void {
    if (series.owners === undefined || (owner !== undefined && series.owners.has(owner))) return
    if (owner === undefined) {
      for (const forget of series.owners.values()) forget()
      series.owners = undefined
      return
    }
    series.owners.set(
      owner,
      owner.onEnd(() => this.leave(series, owner)),
    )
  }

  private leave(series: OwnedSeries<Handle>, owner: Scope): void {
    series.owners?.delete(owner)
    if (series.owners?.size === 0) this.drop(series)
  }

  private drop(series: OwnedSeries<Handle>): void {
    for (const forget of series.owners?.values() ?? []) forget()
    series.owners?.clear()
    series.handle.detach()
    this.byText.delete(series.text)
  }

  private overflowHandle(): Handle {
    this.onOverflow()
    this.overflow ??= { text: this.overflowText, labels: overflowLabels(this.labelNames), handle: this.make() }
    return this.overflow.handle
  }

  private detachedHandle(): Handle {
    const handle = this.make()
    handle.detach()
    return handle
  }
}
