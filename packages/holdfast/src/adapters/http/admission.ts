import type { Priority } from '../../core/call.ts'
import { HoldfastError } from '../../core/errors.ts'
import type { Acquirable, Permit } from '../../core/permit.ts'
import { errorAnswer, type HttpAnswer } from './answer.ts'

export interface ShedLoadOptions<Request> {
  /** A load shedder, an adaptive limiter, a bulkhead: whatever hands out permits. */
  readonly gate: Acquirable
  /** @defaultValue 'normal' */
  readonly priorityOf?: (request: Request) => Priority | undefined
  /** Caller, tenant or operation, for gates that tell them apart. */
  readonly keyOf?: (request: Request) => string | undefined
}

/** A request that was let in, until it has been answered. */
export class Admission {
  private readonly permit: Permit

  constructor(permit: Permit) {
    this.permit = permit
  }

  /** A status of 500 or more is a failure of the service. */
  answered(status: number): void {
    if (status < 500) this.permit.success()
    else this.permit.failure(new HoldfastError({ code: 'ERR_REFUSED', message: `answered with status ${status}` }))
  }

  /** The client left, which says nothing about the service. */
  left(): void {
    this.permit.ignore()
  }
}

/** Asks the gate, and waits where it lets calls wait. @throws errors that no policy has made */
export async function admit<Request>(
  { gate, priorityOf, keyOf }: ShedLoadOptions<Request>,
  request: Request,
  signal: AbortSignal | undefined,
): Promise<Admission | HttpAnswer> {
  try {
    return new Admission(await gate.acquire({ priority: priorityOf?.(request), key: keyOf?.(request), signal }))
  } catch (error) {
    const answer = errorAnswer(error)
    if (answer === undefined) throw error
    return answer
  }
}
