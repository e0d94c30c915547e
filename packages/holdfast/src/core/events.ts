import { HoldfastError } from './errors.ts'
import { show } from './options.ts'
import { isThenable } from './predicate.ts'

/** What every event says; each kind adds its own plain data. */
export interface PolicyEvent {
  /** Past tense, `policy-kind.what-happened`. */
  readonly type: string
  /** Name of the policy. */
  readonly policy: string
  /** Epoch ms. */
  readonly at: number
}

export type Listener<E> = (event: E) => unknown

/** Something whose events can be listened to. */
export interface Observable<E extends PolicyEvent = PolicyEvent> {
  /** Calls `listener` for every event, in order, in a microtask. Returns the function that ends it. */
  on(listener: Listener<E>): () => void
}

/** The most events that wait for one listener whose promise has not settled; the oldest are dropped beyond it. */
export const maxWaitingEvents = 1_000

/**
 * Hands events to listeners: free while nobody listens, never inside the call that caused them, in the order in which they
 * happened. A listener that throws, rejects or never settles harms nobody.
 */
export class EventHub<E extends PolicyEvent> implements Observable<E> {
  private subscriptions: Subscription<E>[] | undefined = undefined

  /** Whether anybody listens; make no event otherwise. */
  get active(): boolean {
    return this.subscriptions !== undefined
  }

  on(listener: Listener<E>): () => void {
    if (typeof listener !== 'function')
      throw new HoldfastError({ code: 'ERR_INVALID_ARGUMENT', message: `a listener must be a function, got ${show(listener)}` })
    const subscription = new Subscription(listener)
    this.subscriptions = [...(this.subscriptions ?? []), subscription]
    return () => {
      const rest = this.subscriptions?.filter((other) => other !== subscription)
      this.subscriptions = rest === undefined || rest.length === 0 ? undefined : rest
      subscription.end()
    }
  }

  emit(event: E): void {
    if (this.subscriptions === undefined) return
    for (const subscription of this.subscriptions) subscription.push(event)
  }
}

class Subscription<E> {
  readonly listener: Listener<E>
  private readonly waiting: E[] = []
  private busy = false
  private ended = false

  constructor(listener: Listener<E>) {
    this.listener = listener
  }

  push(event: E): void {
    if (this.waiting.length >= maxWaitingEvents) this.waiting.shift()
    this.waiting.push(event)
    if (this.busy) return
    this.busy = true
    queueMicrotask(this.deliver)
  }

  end(): void {
    this.ended = true
    this.waiting.length = 0
  }

  private readonly deliver = (): void => {
    while (this.waiting.length > 0 && !this.ended) {
      let answer: unknown
      try {
        answer = this.listener(this.waiting.shift() as E)
      } catch {
        continue // a listener's failure is its own
      }
      if (isThenable(answer)) {
        Promise.resolve(answer).then(this.deliver, this.deliver)
        return
      }
    }
    this.busy = false
  }
}
