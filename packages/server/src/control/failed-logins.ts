import { isRefusal, rateLimiter, type Clock, type RateLimiter } from 'holdfast'
import { clientNetwork } from '../gateway/client-network.ts'

export interface FailedLoginOptions {
  readonly clock: Clock
  /** Wrong tokens an address may show within the window. */
  readonly limit: number
  readonly windowMs: number
  /** Told of a failure, at most 100 times a minute over all addresses. */
  readonly onFailure: (failure: { readonly address: string; readonly how: 'login' | 'bearer' }) => void
}

/** Addresses told apart; what each costs is a few numbers. */
const maxAddresses = 100_000

/** Counts wrong tokens by address, so that nobody can try many. */
export class FailedLogins {
  total = 0
  private readonly options: FailedLoginOptions
  private readonly limiter: RateLimiter
  private readonly told: RateLimiter

  constructor(options: FailedLoginOptions) {
    const { clock, limit, windowMs: window } = options
    this.options = options
    this.limiter = rateLimiter({ name: 'failed-logins', clock, limit, window, maxKeys: maxAddresses })
    this.told = rateLimiter({ name: 'told-failures', clock, limit: 100, window: '1m' })
  }

  /** How long an address has to wait before its next token is looked at, in ms; undefined when it need not. */
  retryAfterMs(address: string): number | undefined {
    const key = clientNetwork(address)
    const hasRoom = Object.values(this.limiter.usage(key)).every(({ remaining }) => remaining >= 1)
    if (hasRoom) return undefined
    const answer = this.limiter.tryAcquire({ key })
    return isRefusal(answer) ? (answer.retryAfterMs ?? this.options.windowMs) : undefined
  }

  count(address: string, how: 'login' | 'bearer'): void {
    this.total++
    this.limiter.isAllowed(clientNetwork(address))
    if (this.told.isAllowed()) this.options.onFailure({ address, how })
  }
}
