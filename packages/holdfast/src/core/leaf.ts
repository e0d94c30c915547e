import type { Abortable } from './abort-hub.ts'
import type { CallState } from './call.ts'
import { discard } from './discard.ts'
import type { ChainLayer, Sink } from './layer.ts'

/** The innermost layer: runs the protected function. */
export const leaf: ChainLayer = {
  start(call: CallState, out: Sink): void {
    if (call.cancellable) {
      const reason = call.cancelled
      if (reason !== undefined) {
        out.settle(false, reason)
        return
      }
    }
    call.begin()
    let result: unknown
    try {
      result = call.run(call)
    } catch (error) {
      call.failed()
      out.settle(false, error)
      return
    }
    if (!isObject(result)) {
      call.succeeded()
      out.settle(true, result)
      return
    }
    const promise = Promise.resolve(result) // also guards against a `then` that answers twice
    if (call.cancellable) {
      new Execution(call, out).watch(promise)
      return
    }
    promise.then(
      (value: unknown) => {
        call.succeeded()
        out.settle(true, value)
      },
      (error: unknown) => {
        call.failed()
        out.settle(false, error)
      },
    )
  },
}

function isObject(value: unknown): boolean {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

/** A running function whose caller may stop waiting for it. What it brings after that reaches nobody. */
class Execution implements Abortable {
  readonly call: CallState
  readonly out: Sink
  abandoned = false

  constructor(call: CallState, out: Sink) {
    this.call = call
    this.out = out
  }

  watch(promise: Promise<unknown>): void {
    this.call.onCancel(this) // at once, if the function itself has made its caller give up
    promise.then(
      (value: unknown) => this.end(true, value),
      (error: unknown) => this.end(false, error),
    )
  }

  cancel(reason: unknown): void {
    this.abandoned = true
    this.call.failed()
    this.call.hold()
    this.out.settle(false, reason)
  }

  private end(ok: boolean, value: unknown): void {
    if (this.abandoned) {
      if (value !== this.call.cancelled) discard(value) // nobody will see it; a failure may carry a response
      this.call.release()
      return
    }
    this.call.offCancel(this)
    if (ok) this.call.succeeded()
    else this.call.failed()
    this.out.settle(ok, value)
  }
}
