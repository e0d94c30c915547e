import { invalidOption } from '../options.ts'

/**
 * The owner of series: a policy, a gateway route. When it is disposed of, the series that only it uses leave the registry, and
 * their handles write nowhere.
 */
export interface MetricScope extends Disposable {
  dispose(): void
}

/** The scope itself, as families and observers see it. */
export class Scope implements MetricScope {
  disposed = false
  private readonly ends = new Set<() => void>()

  /** `end` runs once, when the scope ends. Returns the function that forgets it. */
  onEnd(end: () => void): () => void {
    this.ends.add(end)
    return () => this.ends.delete(end)
  }

  dispose(): void {
    if (this.disposed) return
    this.disposed = true
    for (const end of this.ends) end()
    this.ends.clear()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** A scope that was handed in, if one was. */
export function scopeOption(owner: string, scope: MetricScope | undefined): Scope | undefined {
  if (scope === undefined || scope instanceof Scope) return scope
  throw invalidOption(owner, 'scope', scope, 'made by scope() of a metrics registry')
}
