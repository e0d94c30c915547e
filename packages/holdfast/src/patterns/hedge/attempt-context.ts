/** What the attempts of one call share as context, and what each of them changes for itself. */
export class AttemptContexts {
  private readonly original: Record<string, unknown>
  private readonly before: Readonly<Record<string, unknown>>

  private constructor(original: Record<string, unknown>) {
    this.original = original
    this.before = { ...original }
  }

  /** Undefined for a context that is no plain object: such a one is shared by all attempts as it is. */
  static of(context: unknown): AttemptContexts | undefined {
    if (typeof context !== 'object' || context === null) return undefined
    const prototype: unknown = Object.getPrototypeOf(context)
    return prototype === Object.prototype || prototype === null ? new AttemptContexts(context as Record<string, unknown>) : undefined
  }

  copy(): Record<string, unknown> {
    return { ...this.before }
  }

  /** What the attempt that answers the caller has changed, the caller sees; what the others did, nobody. */
  keep(context: unknown): void {
    const winner = context as Readonly<Record<string, unknown>>
    for (const name of Object.keys(winner)) if (!Object.is(winner[name], this.before[name])) this.original[name] = winner[name]
    for (const name of Object.keys(this.before)) if (!Object.hasOwn(winner, name)) delete this.original[name]
  }
}
