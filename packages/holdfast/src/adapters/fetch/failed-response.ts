import type { Abortable } from '../../core/abort-hub.ts'

/** An answer that counts as a failure on its way through the policies; the caller gets the answer itself. */
export class FailedResponse extends Error {
  readonly status: number
  readonly headers: Headers
  readonly response: Response
  /** Cancelling it ends the body. */
  readonly connection: Abortable

  constructor(response: Response, connection: Abortable) {
    super(`the server answered ${response.status}`)
    this.name = 'FailedResponse'
    this.status = response.status
    this.headers = response.headers
    this.response = response
    this.connection = connection
  }

  /** Nobody will read it. Policies say so of answers that they pass over. */
  [Symbol.dispose](): void {
    const { body } = this.response
    if (body !== null && !body.locked) body.cancel().catch(() => undefined)
  }
}
